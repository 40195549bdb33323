"""WeCom, played with from both sides."""
