"""All tools that were declared. Kinds whose tools are listed by a server join when it answers."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import chain, repeat
from typing import Protocol

import structlog

from agent.engine import Budget, Knowledge, Shelf, ToolFailed, Tools
from agent.tools.search import Search
from agent.tools.tool import Tool
from agent.tools.uses import Desk, Uses
from hub.channel import Finding
from hub.person import Language
from hub.turn import Turn

log = structlog.get_logger()

PAUSES = (1.0, 5.0, 30.0, 120.0)
"""Seconds before a tool that was not ready is tried again."""


class Maker(Protocol):
    """One section [agent.tools.NAME]: makes its tools, and closes what they hold. `tools` is what it has now."""

    @property
    def tools(self) -> Sequence[Tool]: ...

    async def open(self) -> None:
        """Gets ready what takes time. Raises ToolFailed, and may then be asked again."""
        ...

    async def close(self) -> None: ...

    async def doctor(self) -> Finding:
        """Tries it without changing anything. `setting` of what it returns is a key of the section, or ""."""
        ...


class Toolbox:
    """One for all turns."""

    def __init__(self, makers: Mapping[str, Maker], desk: Desk, *, passages: int = 6) -> None:
        self._makers = makers
        self._desk = desk
        self._passages = passages

    def of(self, turn: Turn, knowledge: Knowledge, shelf: Shelf, *, budget: Budget, language: Language) -> Tools:
        """The tools of one turn."""
        search = Search(knowledge, shelf, limit=self._passages)
        return Uses(turn, self.tools, search, shelf, self._desk, budget=budget, language=language)

    @property
    def tools(self) -> dict[str, Tool]:
        """Those that are ready, by name; of two of one name the first."""
        found: dict[str, Tool] = {}
        for maker in self._makers.values():
            for tool in maker.tools:
                found.setdefault(tool.spec.name, tool)
        return found

    async def open(self) -> None:
        """Gets all ready, side by side; one that is not ready is tried again and keeps no other waiting."""
        await asyncio.gather(*(self._opened(name, maker) for name, maker in self._makers.items()))

    async def _opened(self, name: str, maker: Maker) -> None:
        for pause in chain(PAUSES, repeat(PAUSES[-1])):
            try:
                await maker.open()
            except (ToolFailed, TimeoutError) as failure:
                log.warning("a tool is not ready", tool=name, why=str(failure))
            except Exception:
                log.exception("a tool is not ready", tool=name)
            else:
                return
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Closes what they hold."""
        for maker in self._makers.values():
            await maker.close()
