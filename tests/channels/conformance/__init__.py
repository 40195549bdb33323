"""One set of facts that every channel is held to. What a kind of channel adds is its tests/channels/<kind>/case.py."""
