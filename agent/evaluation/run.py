"""Asks the questions of an evaluation, each as a conversation of its own with the agent of a configuration."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Literal

from agent.agent import OneAgent, engines
from agent.approved.book import Book
from agent.engine import Found, Passage
from agent.evaluation.cases import Case
from agent.evaluation.figures import Outcome
from agent.evaluation.tools import opened
from agent.knowledge.desk import PATIENCE, embed, look_over, open_desk
from agent.knowledge.search import Search
from config import Config
from config.sections import AgentSection
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity, Person
from hub.turn import Answer, Exchange, ToolUsed, Turn, Usage

CHANNEL = "evaluation"


@dataclass
class Watched:
    """A knowledge that remembers what it found. `version` stays: nothing is reused from one question to the next."""

    search_in: Search
    version: int = 0
    shown: list[Passage] = field(default_factory=list)

    async def search(self, question: str, *, limit: int = 6) -> Found:
        """See agent.engine.Knowledge."""
        found = await self.search_in.search(question, limit=limit)
        self.shown += found.passages
        return found


Ask = Callable[[Case], Awaitable[Outcome]]


@asynccontextmanager
async def asking(config: Config) -> AsyncIterator[Ask]:
    """A function that asks one question. The knowledge is read and embedded first; nothing is answered from a cache."""
    section = config.agent.model_copy(update={"cache": 0})
    async with open_desk(config) as desk, opened(config) as toolbox:
        await look_over(desk)
        await embed(desk)
        search = Search(desk.archive, desk.vectors, patience=PATIENCE)
        shared = engines(section)
        approved = Book(desk.store)

        async def ask(case: Case) -> Outcome:
            knowledge = Watched(search)
            agent = OneAgent(section, knowledge, shared, approved=approved, toolbox=toolbox)
            outcome = await _asked(agent, knowledge, case)
            return replace(outcome, cost=cost(outcome.answer.usage, section))

        try:
            await asyncio.gather(*(engine.warm() for engine in shared))
            yield ask
        finally:
            for engine in shared:
                await engine.close()


async def outcomes(config: Config, cases: Sequence[Case], *, at_once: int, done: Callable[[], None]) -> list[Outcome]:
    """What came of each question, in their order. `done` is told of each that ended."""
    places = asyncio.Semaphore(at_once)
    async with asking(config) as ask:

        async def one(case: Case) -> Outcome:
            async with places:
                outcome = await ask(case)
            done()
            return outcome

        return await asyncio.gather(*map(one, cases))


def cost(usage: Usage, section: AgentSection) -> float | None:
    """What a turn cost, None where no model has a price. Pure."""
    models = [section.model, *section.model.fallbacks]
    if not any(model.input_price or model.output_price for model in models):
        return None
    asked = next((model for model in models if model.name == usage.model), None)
    if asked is None:
        return 0.0
    return (usage.input_tokens * asked.input_price + usage.output_tokens * asked.output_price) / 1e6


async def _asked(agent: OneAgent, knowledge: Watched, case: Case) -> Outcome:
    history: tuple[Exchange, ...] = ()
    for number, question in enumerate(case.before):
        answer, _ = await _turn(agent, case, question, history, number)
        history += (_said("person", question), _said("agent", answer.text))
    knowledge.shown.clear()
    began = time.perf_counter()
    answer, tools = await _turn(agent, case, case.question, history, len(case.before))
    return Outcome(case, answer, tuple(knowledge.shown), tools, time.perf_counter() - began)


async def _turn(
    agent: OneAgent, case: Case, question: str, history: tuple[Exchange, ...], number: int
) -> tuple[Answer, tuple[ToolUsed, ...]]:
    who = f"{abs(hash(case))}"
    message = InboundMessage(
        f"{who}-{number}", Conversation(CHANNEL, "", who), Identity(CHANNEL, "", who), (Text(question),)
    )
    person = Person(0, linked=case.linked)
    tools: list[ToolUsed] = []
    async with aclosing(agent.answer(Turn(f"{who}-{number}", message, person, history=history))) as events:
        async for event in events:
            if isinstance(event, ToolUsed):
                tools.append(event)
            if isinstance(event, Answer):
                return event, tuple(tools)
    raise AssertionError("a turn ended without its answer")


def _said(by: Literal["person", "agent"], text: str) -> Exchange:
    return Exchange(by, text, CHANNEL, datetime.now(UTC))
