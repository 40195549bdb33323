"""Tests of the AI bot channel."""
