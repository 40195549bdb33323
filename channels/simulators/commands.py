"""`python -m hub simulate KIND`: finds the channel of that kind, and the module that plays its platform.

A kind's module is channels.simulators.KIND with `async def play(config: Config, name: str) -> None`, imported only
when it is asked for.
"""

import importlib
from collections.abc import Awaitable, Callable

from channels.registry import KINDS
from config import Config
from hub.errors import ConfigError

Play = Callable[[Config, str], Awaitable[None]]


async def simulate(config: Config, kind: str, name: str = "") -> None:
    """Plays until the input ends. `name` is the channel; it may be left out where there is one of this kind.

    Raises ConfigError.
    """
    play = find(kind)
    await play(config, name if name in _named(config, kind) else _only(config, kind, name))


def find(kind: str) -> Play:
    """The function that plays this kind. Raises ConfigError."""
    if kind not in KINDS:
        raise ConfigError(f"there is no kind {kind!r}; there are {', '.join(KINDS)}")
    play: Play = importlib.import_module(f"channels.simulators.{kind}").play
    return play


def _named(config: Config, kind: str) -> list[str]:
    return [name for name, section in config.channels.items() if section.kind == kind]


def _only(config: Config, kind: str, name: str) -> str:
    known = _named(config, kind)
    if name:
        raise ConfigError(f"there is no channel {name!r} of kind {kind}; there are {', '.join(known) or 'none'}")
    if len(known) != 1:
        number = "no channel" if not known else f"{len(known)} channels"
        raise ConfigError(
            f"hub.toml has {number} of kind {kind}; name one with --channel ({', '.join(known) or 'none'})"
        )
    return known[0]
