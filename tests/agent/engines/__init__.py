"""The engines behind their port."""
