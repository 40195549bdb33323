"""A corporation's directory: what it knows of a member, by which the same person is known on another platform.

Asked beside the acknowledgement, once a day for each member, never more often than the platform likes, and never so
long that an answer would wait for it. Where it does not answer, the member is known by the message alone.
"""

import asyncio
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from hub.channel import Site
from hub.errors import DeliveryError
from hub.person import Evidence

log = structlog.get_logger()

DAY = 24 * 3600.0
AGAIN = 600.0
"""Seconds until a member is asked for again about whom the directory did not answer."""
PATIENCE = 2.0
"""Seconds that a turn waits for the directory."""
A_MINUTE = 300
"""Members that are asked for in a minute."""
KNOWN = 10_000

Ask = Callable[[str], Awaitable[tuple[Evidence, ...]]]


class Directory:
    """The members that were asked for. `ask` makes the call; it raises DeliveryError."""

    def __init__(self, site: Site, ask: Ask, *, asked: bool) -> None:
        self._site = site
        self._ask = ask
        self._asked = asked
        self._known: OrderedDict[str, tuple[float, tuple[Evidence, ...]]] = OrderedDict()

    async def vouch(self, member: str) -> tuple[Evidence, ...]:
        """What it knows of the member; () where it is not asked or does not answer."""
        if not self._asked or not member:
            return ()
        now = self._site.clock().timestamp()
        until, evidence = self._known.get(member, (0.0, ()))
        if until > now:
            return evidence
        if await self._site.coordination.limits.take(f"{self._site.name}:directory", limit=A_MINUTE, seconds=60.0):
            return evidence
        try:
            async with asyncio.timeout(PATIENCE):
                until, evidence = now + DAY, await self._ask(member)
        except (DeliveryError, TimeoutError) as error:
            log.info("the directory does not answer", channel=self._site.name, why=type(error).__name__)
            until = now + AGAIN
        self._known[member] = until, evidence
        self._known.move_to_end(member)
        while len(self._known) > KNOWN:
            self._known.popitem(last=False)
        return evidence


def reached(member: Mapping[str, Any], *, email: tuple[str, ...], mobile: str = "mobile") -> tuple[Evidence, ...]:
    """How a member is reached, in the one form in which every directory's values can be compared.

    `email` are the fields that may hold it, the first that is filled counts.
    """
    address = next((str(member[key]).strip().lower() for key in email if member.get(key)), "")
    number = re.sub(r"[^\d+]", "", str(member.get(mobile) or "")).removeprefix("+86")
    found = []
    if "@" in address:
        found.append(Evidence("email", address))
    if len(number) >= 7 and "*" not in str(member.get(mobile)):
        found.append(Evidence("mobile", number))
    return tuple(found)
