"""Kotaemon's engine, its link and its worker."""
