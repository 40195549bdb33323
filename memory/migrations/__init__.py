"""One file a revision, named by its number: 0001_journal.py, 0002_….py. Alembic runs them."""
