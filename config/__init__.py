"""What the operator decides: hub.toml, read, typed, and refused with every fault at once."""

from config.faults import Fault, Refused
from config.file import Config, Kinds, load
from config.secret import Secret
from config.settings import ChannelSection, Place, Section, fault

__all__ = ["ChannelSection", "Config", "Fault", "Kinds", "Place", "Refused", "Secret", "Section", "fault", "load"]
