"""`python -m hub simulate KIND`: finds the channel of that kind, and the module that plays its platform.

A kind's module is channels.simulators.KIND with `async def play(config: Config, name: str) -> None`, imported only
when it is asked for.
"""

import argparse
import importlib
import sys
from collections.abc import Awaitable, Callable

from channels.registry import KINDS
from channels.simulators.chat import look
from channels.simulators.samples import advice
from config import Config
from hub.errors import ConfigError

OTHER = "Is it played in another terminal already? End that one, or write another port into the channel's section."
Play = Callable[[Config, str], Awaitable[None]]


def arguments(parser: argparse.ArgumentParser) -> None:
    """What the command takes."""
    parser.add_argument("kind", choices=KINDS, metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--channel", default="", metavar="NAME", help="needed where hub.toml has several of this kind")


async def run(args: argparse.Namespace, config: Config) -> int:
    """Plays until the input ends; 2 when hub.toml has to be changed first."""
    try:
        name = named(config, args.kind, args.channel)
        await look(config)
        await find(args.kind)(config, name)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"the platform can't be played here: {error.strerror or error}\n{OTHER}\n")
        return 1
    return 0


def find(kind: str) -> Play:
    """The function that plays this kind."""
    play: Play = importlib.import_module(f"channels.simulators.{kind}").play
    return play


def named(config: Config, kind: str, name: str = "") -> str:
    """The channel of this kind that is meant: the one that is named, or the only one. Raises ConfigError."""
    known = [channel for channel, section in config.channels.items() if section.kind == kind]
    if name and name not in known:
        have = ", ".join(known) or "none"
        raise ConfigError(f"{config.file.name} has no channel {name!r} of kind {kind}; it has {have}")
    if not name and len(known) != 1:
        if not known:
            raise ConfigError(f"{config.file.name} has no channel of kind {kind}. {advice(kind)}")
        names = ", ".join(known)
        raise ConfigError(
            f"{config.file.name} has {len(known)} channels of kind {kind}: name one with --channel ({names})"
        )
    return name or known[0]
