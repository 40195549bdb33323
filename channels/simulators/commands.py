"""`python -m hub simulate KIND`: finds the channel of that kind, and the module that plays its platform.

A kind's module is channels.simulators.KIND with `async def play(config: Config, name: str) -> None`, imported only
when it is asked for.
"""

import argparse
import importlib
import sys
from collections.abc import Awaitable, Callable

from channels.registry import KINDS
from config import Config
from hub.errors import ConfigError

Play = Callable[[Config, str], Awaitable[None]]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--channel", default="", metavar="NAME", help="needed where hub.toml has several of this kind")


async def run(args: argparse.Namespace, config: Config) -> int:
    """Plays until the input ends; 2 when hub.toml has to be changed first."""
    try:
        await find(args.kind)(config, named(config, args.kind, args.channel))
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def find(kind: str) -> Play:
    """The function that plays this kind."""
    play: Play = importlib.import_module(f"channels.simulators.{kind}").play
    return play


def named(config: Config, kind: str, name: str = "") -> str:
    """The channel of this kind that is meant: the one that is named, or the only one. Raises ConfigError."""
    known = [channel for channel, section in config.channels.items() if section.kind == kind]
    if name and name not in known:
        raise ConfigError(f"hub.toml has no channel {name!r} of kind {kind}; it has {', '.join(known) or 'none'}")
    if not name and len(known) != 1:
        number = f"{len(known)} channels" if known else "no channel"
        raise ConfigError(
            f"hub.toml has {number} of kind {kind}: name one with --channel ({', '.join(known) or 'none'})"
        )
    return name or known[0]
