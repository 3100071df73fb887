"""What a person is to the Ordre: doctor, junior, intern; their council."""
