"""What the uses of tools stand on, over the database. See uses.py for what is asked of it."""

from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from hub.errors import NotStored
from hub.person import Evidence
from memory.calls import Call
from memory.journal import SqlJournal

log = structlog.get_logger()


class SqlRecords:
    """The journal, with the hub's clock."""

    def __init__(self, journal: SqlJournal, clock: Callable[[], datetime]) -> None:
        self._journal = journal
        self._clock = clock

    async def uses(self, turn: str) -> Sequence[Call]:
        return await self._journal.tool_calls(turn)

    async def keep(self, turn: str, use: Call) -> bool:
        """A beginning that can't be stored lets nothing begin; an end that can't is lost: the use stays begun."""
        try:
            return await self._journal.record_tool_call(turn, use, now=self._clock())
        except NotStored:
            if use.state == "begun":
                raise
            log.warning("the end of a tool's use was not stored", tool=use.name, turn=turn)
            return False

    async def proofs(self, person: int) -> Sequence[Evidence]:
        return await self._journal.proofs(person)
