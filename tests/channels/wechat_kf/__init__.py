"""Customer service, played with from both sides."""
