"""The other side of each channel."""
