"""How a person is reached: their coordinates, what each serves for, the first visit."""
