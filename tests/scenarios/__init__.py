"""Whole turns: a real hub, its platforms played by their simulators, over real HTTP and WebSocket."""
