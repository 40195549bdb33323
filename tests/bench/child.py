"""The processes that stand beside `serve`: `python -m tests.bench.child model [SECONDS] | echo CONFIG`.

As the bare handler does, each writes its address as a line once it listens, and ends when its standard input does.
"""

import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import uvloop

import hub.app
from agent.models.scripted import Scripted
from agent.models.scripted import echo as say_again
from config import load
from hub.__main__ import kinds
from hub.observe import configure_logs
from hub.turn import Answer, Turn, TurnEvent
from tests.bench.bare import told


class Echo:
    """An agent that costs nothing: what is left is the hub."""

    async def answer(self, turn: Turn) -> AsyncIterator[TurnEvent]:
        yield Answer(turn.text, engine="echo")


async def model(seconds: float = 0.0) -> None:
    """A model that says the question again, word by word, over HTTP, after so many seconds."""
    async with Scripted(lambda asked: replace(say_again(asked), wait=seconds)) as scripted:
        await told(scripted.url)


async def echo(file: Path) -> None:
    """The hub as `serve` runs it, but for the agent."""
    config = load(file, kinds())
    configure_logs("error", json=False, secrets=config.secrets)
    async with hub.app.open_hub(config) as opened:
        opened.gateway._agent = Echo()
        async with hub.app._listening(opened):
            hub.app.settle()
            await told(f"http://{config.hub.host}:{config.hub.port}")


if __name__ == "__main__":
    uvloop.run(echo(Path(sys.argv[2])) if sys.argv[1] == "echo" else model(float(sys.argv[2]) if sys.argv[2:] else 0.0))
