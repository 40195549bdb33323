"""Tools: what an engine may do in a turn besides speaking."""
