"""The engines behind the one port of agent/engine.py."""
