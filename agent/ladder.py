"""Which engine answers when one fails: the first that is not left alone, then the next, at the end a polite sentence.

The ladder yields exactly one Answer, whatever happens. What an engine had shown before it failed is taken back by
Restarted. People never see why; the log has the kind of the failure and never a text.
"""

import asyncio
import math
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Literal, Protocol

import structlog

from agent.breaker import Breaker
from agent.engine import Context, Engine, EngineFailed
from hub.texts import texts
from hub.turn import Answer, Delta, Restarted, ToolUsed, Turn, TurnEvent

log = structlog.get_logger()

RESERVE = 2.0
"""Seconds before the deadline that are kept for the rungs below."""


class Observer(Protocol):
    """Who counts; by default nobody does. Every method returns at once and raises nothing."""

    def engine_answered(self, engine: str, answer: Answer, *, seconds: float) -> None:
        """An engine came to an answer."""
        return

    def engine_failed(self, engine: str, code: str, *, seconds: float) -> None:
        """An engine came to none; `code` says what kind of failure it was."""
        return

    def tool_used(self, tool: ToolUsed) -> None:
        """A tool was called."""
        return

    def cache_used(self, *, hit: bool) -> None:
        """An answer was looked for among those given before."""
        return

    def approved_used(self, outcome: Literal["hit", "near", "miss"]) -> None:
        """An approved answer was looked for: it was there, only one to a question like it, or none."""
        return


class Nobody(Observer):
    """Counts nothing."""


@dataclass(frozen=True, slots=True)
class Rung:
    """An engine and its breaker."""

    engine: Engine
    breaker: Breaker


UNKNOWN = "unknown"
"""The name of a tool that a model made up: what it wrote is no label and no name."""


class Ladder:
    """Engines, best first. The last one should need nothing that can fail."""

    def __init__(self, rungs: Sequence[Rung], observer: Observer) -> None:
        self.rungs = rungs
        self._observer = observer

    async def answer(self, turn: Turn, context: Context) -> AsyncGenerator[TurnEvent, None]:
        """The events of the first engine that comes to an answer."""
        for rung in self.rungs:
            if not rung.breaker.admits():
                continue
            shown = False
            async with aclosing(self._climb(rung, turn, context)) as events:
                async for event in events:
                    yield event
                    if isinstance(event, Answer):
                        return
                    shown = isinstance(event, Delta) or (shown and isinstance(event, ToolUsed))
            if shown:
                yield Restarted()
        yield Answer(texts(context.language).failed, engine="none", confidence=0)

    async def _climb(self, rung: Rung, turn: Turn, context: Context) -> AsyncGenerator[TurnEvent, None]:
        """The events of one engine; ends without an Answer when it fails."""
        began = time.monotonic()
        try:
            async with aclosing(rung.engine.answer(turn, context)) as events:
                async for event in self._bounded(events, self._limit(rung, context)):
                    if isinstance(event, Answer):
                        rung.breaker.succeeded()
                        self._observer.engine_answered(rung.engine.name, event, seconds=time.monotonic() - began)
                    elif isinstance(event, ToolUsed):
                        event = _known(event, context)
                        self._observer.tool_used(event)
                    yield event
        except EngineFailed as failure:
            self._failed(rung, turn, failure.code, began)
        except (asyncio.CancelledError, GeneratorExit):
            rung.breaker.gave_up()
            raise
        except Exception as error:  # an engine's fault must not leave a person without words
            log.exception("an engine broke", engine=rung.engine.name, turn=turn.id)
            self._failed(rung, turn, type(error).__name__, began)

    def _limit(self, rung: Rung, context: Context) -> float | None:
        """When the engine is cut off; None for the last, which takes no time, and where there is no deadline."""
        deadline = context.budget.deadline
        return None if rung is self.rungs[-1] or math.isinf(deadline) else deadline - RESERVE

    async def _bounded(
        self, events: AsyncGenerator[TurnEvent, None], limit: float | None
    ) -> AsyncGenerator[TurnEvent, None]:
        """The events up to the Answer, none of them waited for beyond the limit. Raises EngineFailed."""
        while True:
            try:
                async with asyncio.timeout_at(limit):
                    event = await anext(events)
            except TimeoutError:
                raise EngineFailed("deadline") from None
            except StopAsyncIteration:
                raise EngineFailed("no_answer") from None
            if isinstance(event, Answer) and not event.text.strip():
                raise EngineFailed("empty")
            yield event
            if isinstance(event, Answer):
                return

    def _failed(self, rung: Rung, turn: Turn, code: str, began: float) -> None:
        seconds = time.monotonic() - began
        rung.breaker.failed()
        self._observer.engine_failed(rung.engine.name, code, seconds=seconds)
        log.warning(
            "an engine gave no answer; the next one does",
            engine=rung.engine.name,
            turn=turn.id,
            code=code,
            seconds=round(seconds, 2),
            breaker=rung.breaker.state,
        )


def _known(used: ToolUsed, context: Context) -> ToolUsed:
    """The same under a name that was declared."""
    offered = {spec.name for spec in context.tools.offered}
    return used if used.name in offered else replace(used, name=UNKNOWN)
