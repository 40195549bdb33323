"""The agent by itself: what it says to a turn, whatever its models do."""
