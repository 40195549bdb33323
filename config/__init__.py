"""What the operator decides: hub.toml, read, typed, and refused with every fault at once."""
