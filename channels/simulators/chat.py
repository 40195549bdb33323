"""The person at the terminal: types lines, reads what arrives."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
from rich.console import Console
from rich.text import Text
from yarl import URL

from config import Config
from hub.errors import ConfigError

HERE = ("127.0.0.1", "localhost", "::1")
_console = Console(highlight=False)

Say = Callable[[str], Awaitable[None]]


def shown(text: str, *, by: str) -> None:
    """Something that the person reads, and which way it came."""
    _console.print(Text(f"◀ {by} ", style="dim"), Text(text), sep="", soft_wrap=True)


def told(text: str) -> None:
    """Something that the simulator itself has to say."""
    _console.print(Text(text, style="dim italic"), soft_wrap=True)


def place(api_base: str, name: str) -> tuple[str, int]:
    """Where the platform is to be served: the hub looks for it at `api_base`. Raises ConfigError."""
    url = URL(api_base)
    if url.host not in HERE or not url.port or url.path not in ("", "/"):
        raise ConfigError(
            f'the hub would call the real platform: write api_base = "http://127.0.0.1:9001" under [channels.{name}], '
            "restart the hub, then start this again"
        )
    return url.host, url.port


def callback(config: Config, name: str) -> str:
    """The address of a channel in the hub that runs here."""
    host = "127.0.0.1" if config.hub.host in ("0.0.0.0", "::") else config.hub.host  # noqa: S104 — not bound, called
    return f"http://{host}:{config.hub.port}/channels/{name}"


async def look(config: Config) -> None:
    """Tells who types that no hub runs here, since nothing would come back."""
    address = callback(config, "").partition("/channels")[0]
    try:
        async with aiohttp.ClientSession() as http, http.get(f"{address}/healthz"):
            return
    except aiohttp.ClientError:
        told(f"No hub answers at {address}: start it in another terminal (make run CONFIG={config.file.name}).")


async def converse(say: Say) -> None:
    """Gives every line to `say` until the input ends; a slow answer does not keep the next line back."""
    async with asyncio.TaskGroup() as saying:
        async for line in _lines():
            saying.create_task(say(line))  # type: ignore[arg-type]  # every Say is a coroutine function


async def _lines() -> AsyncIterator[str]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        if line.strip():
            yield line.rstrip("\n")
