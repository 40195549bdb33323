"""What tests of tools stand on: a turn in the journal, tools that a test gives, and what became of their uses."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from agent.engine import Budget, Shelf, ToolSpec
from agent.tools.records import SqlRecords
from agent.tools.search import Search
from agent.tools.tool import Call, Manner, Policy, Tool
from agent.tools.uses import Ask, Desk, Uses
from hub.message import Conversation, InboundMessage, Text
from hub.person import Evidence, Identity
from hub.turn import Turn
from memory.journal import SqlJournal
from memory.store import Store
from tests.agent.library import Library
from tests.databases import empty

NOW = datetime(2026, 5, 1, 9, 0, tzinfo=UTC)
ORDER = (
    '{"type": "object", "properties": {"order": {"type": "string", "pattern": "^[0-9]{4,12}$"}}, '
    '"required": ["order"], "additionalProperties": false}'
)


@dataclass
class Work:
    """What a tool does in a test. `seen` is what it was given."""

    does: Callable[[Mapping[str, Any], Call], Awaitable[object]] | None = None
    value: object = field(default_factory=lambda: {"status": "已发货"})
    seen: list[tuple[dict[str, Any], str]] = field(default_factory=list)

    async def __call__(self, given: Mapping[str, Any], call: Call) -> object:
        self.seen.append((dict(given), call.key))
        return await self.does(given, call) if self.does else self.value


def tool(act: Work, name: str = "order", *, schema: str = ORDER, manner: Manner | None = None, **policy: Any) -> Tool:
    """A tool with this policy; it only reads unless the test says more."""
    spec = ToolSpec(name, "查询订单", schema)
    return Tool(spec, Policy(**{"effect": "reads", **policy}), act, manner or Manner("订单查询"))


@dataclass
class Counter:
    """Where turns come from and their tools are at hand."""

    store: Store
    ask: Ask | None = None
    shelf: Shelf = field(default_factory=Shelf)

    @property
    def journal(self) -> SqlJournal:
        return SqlJournal(self.store)

    async def turn(
        self, text: str = "我的订单到哪了", *, who: str = "lin", group: bool = False, proofs: tuple[Evidence, ...] = ()
    ) -> Turn:
        """Somebody asks; it is in the journal."""
        place = Conversation("web", "", who, "group" if group else "private")
        message = InboundMessage(f"{who} {text}", place, Identity("web", "", who), (Text(text),), evidence=proofs)
        stored = await self.journal.accept(message, now=NOW)
        return Turn(stored.turn, stored.message, stored.person)

    def uses(self, turn: Turn, *tools: Tool, calls: int = 8) -> Uses:
        """The tools of this turn, in a new run of it."""
        desk = Desk(SqlRecords(self.journal, lambda: NOW), self.ask)
        search = Search(Library(), self.shelf, limit=3)
        named = {one.spec.name: one for one in tools}
        return Uses(turn, named, search, self.shelf, desk, budget=Budget(calls=calls), language="zh")

    async def states(self, turn: Turn) -> list[tuple[str, str]]:
        """Each use in the journal with its state."""
        return [(use.name, use.state) for use in await self.journal.tool_calls(turn.id)]


@asynccontextmanager
async def counter(folder: Path, ask: Ask | None = None) -> AsyncIterator[Counter]:
    async with empty("sqlite", folder).opened() as store:
        yield Counter(store, ask)


def given(**arguments: object) -> str:
    """Arguments as a model writes them."""
    return json.dumps(arguments, ensure_ascii=False)
