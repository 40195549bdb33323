"""Every format, read from a file that is made here."""
