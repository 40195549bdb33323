"""What the operator decides: hub.toml, read, typed, and refused with every fault at once."""

from config.secret import Secret
from config.settings import ChannelSection, Section

__all__ = ["ChannelSection", "Secret", "Section"]
