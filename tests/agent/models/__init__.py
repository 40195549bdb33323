"""The models behind their port, against servers on loopback."""
