"""Customers whom the agent leaves to people: kept from the decision until WeCom has moved the session.

The session moves after the last part of the reply that says so: WeCom takes no word of ours afterwards. Both the
reply and the move outlast a crash: the reply stands in the outbox, the intention in a note. Only one hub works on a
journal, so that the note is read once and written whenever it changes.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from channels.kit.connection import Backoff
from hub.channel import Record
from hub.errors import Blocked, DeliveryError, Faulty, NotStored, Unknown

log = structlog.get_logger()

NOTE = "leaving"
KEPT = 10_000
"""Intentions that are kept; the oldest go first."""

Key = tuple[str, str]
"""(desk, customer)"""
Move = Callable[[str, str], Awaitable[None]]
"""Moves the session of a customer at a desk. Raises DeliveryError."""


@dataclass(frozen=True, slots=True)
class Intention:
    """`turn` is the one whose reply announces it, `said` whether that reply is out, `since` seconds since 1970."""

    turn: str
    since: float
    said: bool = False


class Leaving:
    """Owns one task for each session that is being moved.

    `good` is how many seconds an intention lasts (a session of WeCom's ends after 48 h), `grace` how many after a
    start the reply that announces it may still take: where that was lost, the customer is moved without it.
    """

    def __init__(
        self,
        record: Record,
        move: Move,
        *,
        clock: Callable[[], datetime],
        backoff: Backoff,
        good: float,
        grace: float = 60.0,
    ) -> None:
        self._record, self._move, self._clock, self._backoff = record, move, clock, backoff
        self._good, self._grace = good, grace
        self._known: dict[Key, Intention] | None = None
        self._lock = asyncio.Lock()
        self._tasks: dict[Key, asyncio.Task[None]] = {}

    async def intend(self, key: Key, turn: str) -> None:
        """The session moves once the reply of this turn is out."""
        (await self._all())[key] = Intention(turn, self._clock().timestamp())
        await self._keep()

    async def waits_for(self, key: Key, turn: str) -> bool:
        """Whether the session moves after this turn's reply. A later turn's says that the agent is back."""
        intention = (await self._all()).get(key)
        if intention and intention.said and intention.turn != turn:
            await self.forget(key)
        return intention is not None and intention.turn == turn

    async def go(self, key: Key) -> None:
        """The reply is out, or never will be: moves the session, now or when WeCom can again."""
        known = await self._all()
        if intention := known.get(key):
            known[key] = replace(intention, said=True)
            await self._keep()
            self._begin(key)

    async def forget(self, key: Key) -> None:
        """The session has ended, or is the agent's again."""
        if (await self._all()).pop(key, None):
            await self._keep()

    async def run(self) -> None:
        """Takes up what an earlier process left."""
        left = dict(await self._all())
        for key in (key for key, intention in left.items() if intention.said):
            self._begin(key)
        lost = {key: intention.turn for key, intention in left.items() if not intention.said}
        if lost:
            await asyncio.sleep(self._grace)
        for key, turn in lost.items():
            if await self.waits_for(key, turn):
                await self.go(key)

    async def close(self) -> None:
        """Stops; the next start goes on from the note."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # ---- moving

    def _begin(self, key: Key) -> None:
        if key not in self._tasks:
            self._tasks[key] = asyncio.create_task(self._until_moved(key))
            self._tasks[key].add_done_callback(lambda _: self._tasks.pop(key, None))

    async def _until_moved(self, key: Key) -> None:
        """Again after a fault, and where the operator must act; where nobody takes over, the hub's own people do."""
        failures = 0
        while await self._stands(key):
            try:
                await self._move(*key)
                break
            except (Faulty, Unknown, Blocked) as error:
                log.warning("a session is not moved yet", desk=key[0], code=error.code)
            except DeliveryError as error:
                log.warning("nobody takes the session over", desk=key[0], code=error.code)
                break
            failures += 1
            await asyncio.sleep(self._backoff.pause(failures))
        await self.forget(key)

    async def _stands(self, key: Key) -> bool:
        intention = (await self._all()).get(key)
        return intention is not None and self._clock().timestamp() - intention.since < self._good

    # ---- the note

    async def _all(self) -> dict[Key, Intention]:
        if self._known is None:
            async with self._lock:
                if self._known is None:
                    self._known = _read(await self._record.note(NOTE))
        return self._known

    async def _keep(self) -> None:
        """Writes what is known now; what the database did not take goes with the next change."""
        known = await self._all()
        while len(known) > KEPT:
            del known[next(iter(known))]
        try:
            async with self._lock:
                await self._record.keep_note(NOTE, _written(known))
        except NotStored:
            log.warning("a hand-over is not kept on disk")


def _written(known: dict[Key, Intention]) -> str:
    return json.dumps([[*key, one.turn, one.since, one.said] for key, one in known.items()])


def _read(note: str | None) -> dict[Key, Intention]:
    rows = json.loads(note or "[]")
    return {(desk, customer): Intention(turn, since, said) for desk, customer, turn, since, said in rows}
