"""What `./repere` does on one machine, in the standard library only: it runs before any package exists."""
