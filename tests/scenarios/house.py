"""A hub with some platforms, an agent that a test scripts, and a door through which it can be ended and begun again."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import unused_port

from agent.models.scripted import Script, Scripted
from config import Config, load
from hub import app
from hub.__main__ import kinds
from tests.bench.platforms import Side
from tests.bench.processes import HUB, MODEL, SECRETS

PATIENCE = 60.0
"""Seconds in which something must be read."""


@dataclass
class House:
    """The platforms by kind, and what their people read, in order."""

    sides: dict[str, Side]
    read: defaultdict[str, list[str]]
    http: aiohttp.ClientSession
    model: Scripted
    file: Path
    ends: AsyncExitStack
    """Ends what a platform's people hold open."""
    hub: app.Hub | None = None

    async def say(self, kind: str, words: str, *, who: str = "lin") -> int:
        """The status with which a message is acknowledged."""
        return await self.sides[kind].say(self.http, who, words)

    async def until(self, kind: str, count: int, *, who: str = "lin") -> list[str]:
        """All that somebody has read, once it is so much."""
        async with asyncio.timeout(PATIENCE):
            while len(self.read[f"{kind} {who}"]) < count:  # noqa: ASYNC110 — platforms tell by a plain call
                await asyncio.sleep(0.01)
        return self.read[f"{kind} {who}"]

    async def warnings(self) -> dict[str, str]:
        """What /readyz tells an operator."""
        async with self.http.get(f"http://127.0.0.1:{self._config.hub.port}/readyz") as response:
            return dict((await response.json())["warnings"])

    @property
    def _config(self) -> Config:
        assert self.hub is not None
        return self.hub.config

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """The hub, over what an earlier one stored."""
        config = await asyncio.to_thread(load, self.file, kinds())
        async with app.open_hub(config) as self.hub, app._listening(self.hub):
            yield
            await self.hub.gateway.drain(config.hub.drain)


@asynccontextmanager
async def house(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *wanted: type[Side], script: Script, agent: str = ""
) -> AsyncIterator[House]:
    """Platforms that are there, and a hub that is yet to begin."""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    async with AsyncExitStack() as stack:
        model = await stack.enter_async_context(Scripted(script))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        read: defaultdict[str, list[str]] = defaultdict(list)
        sides = {kind.kind: kind(Reader(read, kind.kind)) for kind in wanted}
        port, file = unused_port(), folder / "hub.toml"
        for side in sides.values():
            await side.open(stack)
            side.url = f"http://127.0.0.1:{port}/channels/{side.kind}"
        text = HUB.format(port=port) + MODEL.format(url=model.url) + agent + _sections(list(sides.values()))
        await asyncio.to_thread(file.write_text, text.replace('["knowledge"]', "[]"))
        yield House(sides, read, http, model, file, stack)


@dataclass(frozen=True)
class Reader:
    """Notes who reads what."""

    read: defaultdict[str, list[str]]
    kind: str

    def __call__(self, person: str, text: str) -> None:
        self.read[f"{self.kind} {person}"].append(text)


def _sections(sides: Sequence[Side]) -> str:
    parts = []
    for side in sides:
        base = f'api_base = "{side.api}"\n' if side.api else ""
        parts.append(f'[channels.{side.kind}]\nkind = "{side.kind}"\n{base}{side.section}\n')
    return "".join(parts)
