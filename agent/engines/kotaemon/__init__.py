"""Kotaemon's agents, in a process and an environment of their own, behind the one port of agent/engine.py."""
