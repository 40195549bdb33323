"""Processes that answer one message of a customer each, and may be killed: `python -m tests.agent.tools.clerk`.

Each line of standard input is the JSON of a Job and makes a process of its own, forked from this one so that nothing
has to be imported again; what became of it is a line on standard output, [exit status, answer].
"""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.agent import OneAgent
from agent.engine import Context, Engine, ToolSpec, Unconfirmed
from agent.tools.confirm import Confirmations
from agent.tools.records import SqlRecords
from agent.tools.tool import Call, Effect, Manner, Policy, Tool
from agent.tools.toolbox import Toolbox
from agent.tools.uses import Desk
from config.sections import AgentSection
from examples.orders.store import Impossible, Orders
from hub.channel import Finding
from hub.journal import Piece, Stored
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity, Language
from hub.turn import Answer, Turn, TurnEvent
from memory.confirmations import Heard
from memory.journal import SqlJournal
from memory.store import open_store
from tests.agent.library import Library

NAME = "request_invoice"
CUSTOMER = "7"
ORDER = '{"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]}'


@dataclass(frozen=True, slots=True)
class Job:
    """The message `words` (the same words are the same message) is answered, with a tool of this effect.

    At `point` the process kills itself: "asked" and "heard" when a question was stored and a yes was, "begun" when the
    call stands in the journal, "acted" when the order system did it, "told" before the answer is stored; "" = never.
    """

    folder: str
    words: str
    effect: Effect
    point: str


def now() -> datetime:
    return datetime.now(UTC)


class Deadly:
    """Ends the process at its point, as a power cut would."""

    def __init__(self, point: str) -> None:
        self._point = point

    def at(self, point: str) -> None:
        if point == self._point:
            os.kill(os.getpid(), signal.SIGKILL)


class Asking(Confirmations):
    """Is killed when something was stored."""

    deadly: Deadly

    async def ask(self, turn: str, tool: Tool, given: Mapping[str, Any], language: Language) -> Answer:
        question = await super().ask(turn, tool, given, language)
        self.deadly.at("asked")
        return question

    async def hear(self, turn: str, text: str) -> Heard | None:
        heard = await super().hear(turn, text)
        if heard:
            self.deadly.at("heard")
        return heard


class Engineless(Engine):
    """Asks for the invoice of the one order that there is, and tells what came of it."""

    name = "clerk"

    def __init__(self, order: str) -> None:
        self._order = order

    async def answer(self, turn: Turn, context: Context) -> AsyncGenerator[TurnEvent, None]:
        if context.done:
            yield Answer(context.done.says, engine=self.name)
            return
        try:
            await context.tools.call(NAME, f'{{"order": "{self._order}"}}')
        except Unconfirmed as unconfirmed:
            yield unconfirmed.question


class Shelf:
    """The one tool. Implements agent.tools.toolbox.Maker."""

    def __init__(self, tool: Tool) -> None:
        self.tools = (tool,)

    async def open(self) -> None:
        return

    async def close(self) -> None:
        return

    async def doctor(self) -> Finding:
        return Finding("", True, "")


def invoicing(orders: Orders, effect: Effect, deadly: Deadly) -> Tool:
    """The order system does it at most once for each key, and says so for a key that it does not know."""

    async def act(given: Mapping[str, Any], call: Call) -> object:
        deadly.at("begun")
        try:
            order = await asyncio.to_thread(orders.request_invoice, CUSTOMER, given["order"], key=call.key)
        except Impossible as why:
            return {"invoice": str(why)}
        deadly.at("acted")
        return {"invoice": order.invoice}

    policy = Policy(confirm=True, effect=effect)
    return Tool(ToolSpec(NAME, "补开发票", ORDER), policy, act, Manner("补开发票", says="发票：{invoice}"))


async def work(job: Job) -> None:
    """Answers the message, unless it was answered."""
    folder, words, deadly = Path(job.folder), job.words, Deadly(job.point)
    orders = await asyncio.to_thread(Orders, folder / "orders.db")
    [order] = await asyncio.to_thread(orders.of, CUSTOMER, product="空气净化器")
    async with open_store("", folder) as store:
        journal = SqlJournal(store)
        place = Conversation("test", "", "lin")
        message = InboundMessage(words, place, Identity("test", "", "lin"), (Text(words),))
        stored = await journal.accept(message, now=now())
        asking = Asking(store, clock=now, seconds=600)
        asking.deadly = deadly
        tools = {"shop": Shelf(invoicing(orders, job.effect, deadly))}
        toolbox = Toolbox(tools, Desk(SqlRecords(journal, now), asking))
        agent = OneAgent(AgentSection(), Library(()), [Engineless(order.number)], confirmations=asking, toolbox=toolbox)
        if stored.open:
            await _answered(journal, stored, agent, deadly)


async def _answered(journal: SqlJournal, stored: Stored, agent: OneAgent, deadly: Deadly) -> None:
    answer = [event async for event in agent.answer(Turn(stored.turn, stored.message, stored.person))][-1]
    assert isinstance(answer, Answer)
    deadly.at("told")
    await journal.answer(stored, answer, [Piece(answer.text)], now=now(), states=["sent"])
    os.write(1, answer.text.encode())


def forked(job: Job) -> tuple[int, str]:
    """A process for the job; its status (-9: killed), and what it said."""
    told, says = os.pipe()
    child = os.fork()
    if not child:
        os.dup2(says, 1)
        asyncio.run(work(job))
        os._exit(0)
    os.close(says)
    with open(told, encoding="utf-8") as answer:
        text = answer.read()
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), text


if __name__ == "__main__":
    for line in sys.stdin:
        os.write(1, json.dumps(forked(Job(**json.loads(line)))).encode() + b"\n")
