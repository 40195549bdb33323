"""The other side of each channel: the platform, as a running hub sees it."""
