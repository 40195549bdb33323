"""The Official Account, played with from both sides."""
