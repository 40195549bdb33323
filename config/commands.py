"""`python -m hub check`: reads the configuration and lists every fault."""

import sys
from pathlib import Path

from config.faults import Refused
from config.file import Config, Kinds, load


def read(path: Path, kinds: Kinds, tools: Kinds | None = None) -> Config | None:
    """The configuration; None when it has faults, which are then on standard error, as are all warnings."""
    try:
        config = load(path, kinds, tools)
    except Refused as refused:
        sys.stderr.write(f"{refused}\n")
        return None
    for warning in config.warnings:
        sys.stderr.write(f"warning: {warning}\n")
    return config


def check(path: Path, kinds: Kinds, tools: Kinds | None = None) -> int:
    """Exit status 0 when the configuration has no fault, else 2. Touches no network."""
    config = read(path, kinds, tools)
    if config is None:
        return 2
    sys.stdout.write(f"{config.file}: no fault; channels: {', '.join(config.channels) or 'none'}\n")
    return 0
