"""What holds for all tests."""

from hypothesis import settings

# an example may wait for a busy machine: a test is judged by what it finds, not by how long it takes
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
