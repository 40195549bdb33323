"""The knowledge: from files to passages that answer."""
