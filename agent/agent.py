"""The agent that the gateway is given: finds the passages, lets the ladder answer, never leaves a person without words.

Logs and metrics carry ids, names and numbers, never what was said.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from typing import Protocol

import structlog

from agent import files
from agent.answers import Answers
from agent.approved.answer import Known
from agent.approved.offer import offering
from agent.breaker import Breaker
from agent.engine import Budget, Context, Engine, Found, Knowledge, Shelf, Tools
from agent.engines.builtin import Builtin
from agent.engines.extractive import Extractive
from agent.engines.kotaemon.engine import Kotaemon
from agent.grounding import grounding
from agent.ladder import Ladder, Nobody, Observer, Rung
from agent.models import providers
from agent.question import joined, language
from agent.tools.confirm import Confirmations, closing
from agent.tools.search import Search
from agent.tools.toolbox import Toolbox
from config.sections import AgentSection
from hub.coordination import Cache
from hub.coordination.local import LocalCache
from hub.message import Text
from hub.person import Language
from hub.texts import texts
from hub.turn import Answer, ToolUsed, Turn, TurnEvent
from memory.confirmations import Heard

log = structlog.get_logger()


class Approvals(Protocol):
    """Where approved answers are."""

    async def known(self) -> Known:
        """All of them. Raises nothing."""
        ...


class OneAgent:
    """Answers for every channel. One object serves all turns at once and keeps nothing of any."""

    def __init__(
        self,
        section: AgentSection,
        knowledge: Knowledge,
        engines: Sequence[Engine],
        *,
        approved: Approvals | None = None,
        confirmations: Confirmations | None = None,
        toolbox: Toolbox | None = None,
        cache: Cache | None = None,
        observer: Observer | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._section = section
        self._knowledge = knowledge
        self._observer = observer or Nobody()
        self._ladder = Ladder([Rung(engine, Breaker(clock=clock)) for engine in engines], self._observer)
        self._approved = approved
        self._confirmations = confirmations
        self._toolbox = toolbox
        self._answers = Answers(cache or LocalCache(), section.cache, repr(section))

    async def answer(self, turn: Turn) -> AsyncGenerator[TurnEvent, None]:
        """The events of a turn, exactly one Answer at their end. Raises nothing but CancelledError."""
        try:
            async with aclosing(self._answer(turn)) as events:
                async for event in events:
                    yield event
        except Exception:
            log.exception("the agent broke", turn=turn.id)
            yield Answer(texts(self._language(turn)).failed, engine="none", confidence=0)

    async def warm(self) -> None:
        """Gets the engines ready, beside the first questions."""
        for rung in self._ladder.rungs:
            await rung.engine.warm()

    async def close(self) -> None:
        """Closes what the engines hold."""
        for rung in self._ladder.rungs:
            await rung.engine.close()

    async def _answer(self, turn: Turn) -> AsyncGenerator[TurnEvent, None]:
        if not turn.text.strip():
            yield Answer(texts(self._language(turn)).only_words, engine="none")
            return
        heard = await self._confirmations.hear(turn.id, turn.text) if self._confirmations else None
        async with aclosing(self._decided(turn, heard) if heard else self._asked(turn)) as events:
            async for event in events:
                yield event

    async def _decided(self, turn: Turn, heard: Heard) -> AsyncGenerator[TurnEvent, None]:
        """What a yes or a no to a question before a tool acts comes to."""
        if said := closing(heard, self._language(turn)):
            yield said
            return
        turn, began = self._shortened(turn), time.monotonic()
        asked = next((earlier.text for earlier in reversed(turn.history) if earlier.by == "person"), turn.text)
        context = await self._context(replace(turn, message=replace(turn.message, parts=(Text(asked),))))
        done = await context.tools.confirmed(heard.tool, heard.arguments)
        yield ToolUsed(heard.tool, "failed" if done.failed else "ok", time.monotonic() - began)
        async with aclosing(self._engines(turn, replace(context, done=done))) as events:
            async for event in events:
                yield event

    async def _asked(self, turn: Turn) -> AsyncGenerator[TurnEvent, None]:
        """The events of a question: an approved answer, or what is found out."""
        said = texts(self._language(turn))
        known = await self._approved.known() if self._approved else Known()
        found = known.find(turn.text)
        near = [] if found else known.near(turn.text)
        if known.answers:
            self._observer.approved_used("hit" if found else "near" if near else "miss")
        if found:
            yield found.said()
            return
        async with aclosing(offering(self._found_out(turn), near, said)) as events:
            async for event in events:
                yield event

    async def _found_out(self, turn: Turn) -> AsyncGenerator[TurnEvent, None]:
        """The events of an answer that was given before, or of the engines."""
        key = self._answers.key(turn, self._knowledge.version, self._language(turn))
        if kept := await self._kept(key):
            yield kept
            return
        turn = self._shortened(turn)
        context = await self._context(turn)
        alone = True
        async with aclosing(self._engines(turn, context)) as events:
            async for event in events:
                alone = alone and not isinstance(event, ToolUsed)
                if key and alone and isinstance(event, Answer) and event.engine == self._ladder.rungs[0].engine.name:
                    await self._answers.put(key, event)
                yield event

    async def _engines(self, turn: Turn, context: Context) -> AsyncGenerator[TurnEvent, None]:
        """The events of the engine that answers, its answer held to its sources."""
        async with (
            aclosing(self._ladder.answer(turn, context)) as events,
            aclosing(grounding(events, turn, context)) as held,
        ):
            async for event in held:
                yield event

    def _shortened(self, turn: Turn) -> Turn:
        """With as much of the history as a model is shown."""
        return replace(turn, history=turn.history[len(turn.history) - self._section.history :])

    async def _kept(self, key: str) -> Answer | None:
        kept = await self._answers.get(key) if key else None
        if key:
            self._observer.cache_used(hit=kept is not None)
        return kept

    async def _context(self, turn: Turn) -> Context:
        question, alone, found = await self._found(turn)
        if written := [each for each in turn.attachments if each.text]:
            own = await asyncio.to_thread(files.about, written, question, limit=self._section.passages)
            found = files.joined(own, found)
        shelf = Shelf()
        shelf.put(found.passages)
        section = self._section
        budget = Budget(
            deadline=min(turn.deadline, asyncio.get_running_loop().time() + section.seconds),
            steps=section.steps,
            tokens=section.model.max_tokens,
            calls=section.calls,
        )
        tongue = self._language(turn)
        tools: Tools = Search(self._knowledge, shelf, limit=section.passages)
        if self._toolbox:
            tools = self._toolbox.of(turn, self._knowledge, shelf, budget=budget, language=tongue)
        return Context(
            question,
            shelf,
            found.confidence,
            tools,
            instructions=section.instructions,
            language=tongue,
            budget=budget,
            own=alone,
            meant=found.meant,
        )

    async def _found(self, turn: Turn) -> tuple[str, str, Found]:
        """The passages: for the question after the one that it hangs on, where they answer that, else by itself."""
        limit = self._section.passages
        if both := joined(turn):
            found = await self._knowledge.search(both, limit=limit)
            if found.answers:
                return found.meant or both, turn.text, found
        found = await self._knowledge.search(turn.text, limit=limit)
        return found.meant or turn.text, "", found

    @staticmethod
    def _language(turn: Turn) -> Language:
        return language(turn.text, turn.person.language)


def engines(section: AgentSection) -> list[Engine]:
    """The engines of a configuration, best first: Kotaemon where it is chosen, the models, the passages themselves."""
    models = [providers.model(section.model), *map(providers.model, section.model.fallbacks)]
    first = [Kotaemon(section)] if section.engine == "kotaemon" and section.model.provider != "none" else []
    return [*first, *(Builtin(model) for model in models if model is not None), Extractive()]
