"""Kotaemon as an engine: the agent reasons in the worker, and everything that it reads or does is done here."""

import asyncio
import time
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any, Literal

from agent import ending
from agent.ending import RESULT
from agent.engine import Context, Engine, EngineFailed, EngineRefused, EngineTimedOut, ToolFailed, Unconfirmed
from agent.engines.kotaemon.asked import arguments, asked, words
from agent.engines.kotaemon.link import Line, Link
from agent.reply import Words
from config.sections import AgentSection
from hub.turn import Answer, ToolUsed, Turn, TurnEvent, Usage

FIRST = 15.0
"""Seconds that a turn waits while the worker starts for the first time; later starts are not waited for at all."""


class Kotaemon(Engine):
    """One worker for all turns, one agent for each. It says its answer whole, at the end."""

    name = "kotaemon"

    def __init__(self, section: AgentSection, link: Link | None = None) -> None:
        self._model = section.model
        self._agent = section.kotaemon.agent
        self._seconds = section.kotaemon.seconds
        self.link = link or Link(section.kotaemon.python)

    async def answer(self, turn: Turn, context: Context) -> AsyncGenerator[TurnEvent, None]:
        """Lets an agent of Kotaemon answer."""
        began, now = time.monotonic(), asyncio.get_running_loop().time()
        limit = min(now + self._seconds, context.budget.deadline)
        try:
            async with asyncio.timeout_at(min(limit, now + FIRST)):
                await self.link.ready()
        except TimeoutError:
            raise EngineTimedOut("starting") from None
        async with self.link.turn(asked(turn, context, self._model, self._agent)) as line:
            while True:
                said = await _next(line, limit)
                usage = Usage(self._model.name, *spent(said), time.monotonic() - began)
                if said["kind"] == "call":
                    used, question = await _call(line, said, context)
                    yield used
                    if question:
                        yield replace(question, engine=self.name, usage=usage)
                        return
                    continue
                yield self._ended(said, context, usage)
                return

    async def warm(self) -> None:
        """Begins to start the worker."""
        await self.link.warm()

    async def close(self) -> None:
        """Ends it."""
        await self.link.close()

    def _ended(self, said: dict[str, Any], context: Context, usage: Usage) -> Answer:
        if said["kind"] == "failed":
            raise _failure(said["code"])
        shown = Words(context.shelf)
        shown.feed(words(said["text"]))
        for _ in ending.last(shown, context):
            pass
        return ending.answer(shown, context, self.name, usage)


async def _next(line: Line, limit: float) -> dict[str, Any]:
    """What the worker says next. Raises EngineTimedOut."""
    try:
        async with asyncio.timeout_at(limit):
            return await line.told.get()
    except TimeoutError:
        raise EngineTimedOut("deadline") from None


async def _call(line: Line, said: dict[str, Any], context: Context) -> tuple[ToolUsed, Answer | None]:
    """Uses a tool for the agent; the question that the turn ends with where the person has to say yes first."""
    name, began = str(said["tool"]), time.monotonic()
    spec = next((tool for tool in context.tools.offered if tool.name == name), None)
    outcome: Literal["ok", "failed", "refused"] = "ok"
    try:
        result = await context.tools.call(name, arguments(said["written"], spec))
    except ToolFailed as failure:
        result, outcome = str(failure), failure.outcome
    except Unconfirmed as unconfirmed:
        return ToolUsed(name[:64], "pending", time.monotonic() - began), unconfirmed.question
    await line.result(said["call"], result[:RESULT])
    return ToolUsed(name[:64], outcome, time.monotonic() - began), None


def spent(said: dict[str, Any]) -> tuple[int, int]:
    """The tokens that the turn has cost the model so far."""
    return said.get("input_tokens", 0), said.get("output_tokens", 0)


def _failure(code: str) -> EngineFailed:
    match code:
        case "401" | "403" | "404":
            return EngineRefused(code)
        case "timeout":
            return EngineTimedOut()
        case _:
            return EngineFailed(code)
