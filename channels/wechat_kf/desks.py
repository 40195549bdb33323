"""Fetches what waits at the desks: page by page from a durable cursor, one at a time for each desk.

The bell says only that something is there; it may ring twice, or not at all while the hub is away. The cursor moves
after everything of a page is stored, so that a crash repeats a page (and the inbox drops what it knows) and never skips
one. sync_msg may answer an empty page with more behind it.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from channels.kit.connection import Backoff
from channels.wechat_kf.openapi import OpenApi
from hub.channel import Record
from hub.coordination import Leases
from hub.errors import Blocked, DeliveryError, NotStored

log = structlog.get_logger()

Take = Callable[[str, Sequence[dict[str, Any]], bool], Awaitable[None]]
"""Stores one page of a desk; True when it is the very first that was ever fetched. Raises NotStored."""

DESKS = "desks"


@dataclass(frozen=True, slots=True)
class Place:
    """Where cursors are kept, and what keeps replicas apart. `name` is the corporation."""

    record: Record
    leases: Leases
    name: str


class Desks:
    """Owns one task for each desk that is being fetched from."""

    def __init__(self, api: OpenApi, place: Place, take: Take, *, backoff: Backoff) -> None:
        self._api, self._place, self._take, self._backoff = api, place, take, backoff
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._kept: set[str] = set()
        self._rung: set[str] = set()
        self._tokens: dict[str, str] = {}

    async def known(self) -> list[str]:
        """The desks whose bell has rung at any time."""
        return list(json.loads(await self._place.record.note(DESKS) or "[]"))

    async def remember(self, desk: str) -> None:
        """Keeps the desk, so that it is asked at the next start as well. Raises NotStored."""
        if desk in self._kept:
            return
        known = await self.known()
        if desk not in known:
            await self._place.record.keep_note(DESKS, json.dumps([*known, desk]))
        self._kept.add(desk)

    def ring(self, desk: str, token: str = "") -> None:
        """Fetches what is there, now or right after what is being fetched."""
        if token:
            self._tokens[desk] = token
        self._rung.add(desk)
        if desk not in self._tasks:
            self._tasks[desk] = asyncio.create_task(self._work(desk))

    async def _work(self, desk: str) -> None:
        try:
            while desk in self._rung:
                async with self._place.leases.hold(f"wechat_kf:{self._place.name}:{desk}"):
                    self._rung.discard(desk)
                    await self._until_done(desk)
        finally:
            del self._tasks[desk]

    async def _until_done(self, desk: str) -> None:
        """Fetches until nothing is left; again after a fault, not after a refusal that the operator must act on."""
        failures = 0
        while True:
            try:
                return await self._sync(desk)
            except Blocked as error:
                log.warning("messages can't be fetched", desk=desk, code=error.code, advice=error.advice)
                return None
            except (DeliveryError, NotStored) as error:
                code = getattr(error, "code", "not_stored")
                log.warning("messages can't be fetched now", desk=desk, code=code, why=str(error))
                if code == "95007":  # the bell's token was good for ten minutes
                    self._tokens.pop(desk, None)
            failures += 1
            await asyncio.sleep(self._backoff.pause(failures))

    async def _sync(self, desk: str) -> None:
        record, key = self._place.record, f"cursor:{desk}"
        kept = await record.note(key)
        cursor, first, more = kept or "", kept is None, True
        while more:
            page = await self._api.sync(desk, cursor, self._tokens.get(desk, ""))
            await self._take(desk, page.msg_list, first)
            moved = page.next_cursor not in ("", cursor)
            if moved:
                cursor = page.next_cursor
                await record.keep_note(key, cursor)
            more = bool(page.has_more) and moved  # else the same page would come for ever

    async def close(self) -> None:
        """Stops fetching; the next start goes on from the cursor."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
