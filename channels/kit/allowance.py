"""What a platform still takes for each person: so many messages, within so long after they wrote.

Kept in memory, so that nothing is sent of which we know that it will be refused. The platform has the last word:
whoever is not in the ledger (after a restart, or because another replica heard them) is tried.
"""

from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime

from hub.errors import Closed

KEPT = 100_000
"""People in the ledger; those who wrote longest ago are forgotten first."""


class Allowance:
    """`quota` messages within `window` seconds; every message of the person begins a new count."""

    def __init__(self, *, window: float, quota: int, clock: Callable[[], datetime]) -> None:
        self._window, self._quota, self._clock = window, quota, clock
        self._people: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def wrote(self, person: Hashable) -> None:
        """The person said something just now."""
        self._people[person] = (self._clock().timestamp(), self._quota)
        self._people.move_to_end(person)
        if len(self._people) > KEPT:
            self._people.popitem(last=False)

    def spend(self, person: Hashable) -> None:
        """Takes one message out of the count. Raises Closed when the platform would refuse it."""
        since, left = self._people.get(person, (self._clock().timestamp(), self._quota))
        if self._clock().timestamp() - since > self._window:
            raise Closed("the person wrote too long ago", code="window")
        if left < 1:
            raise Closed("all messages of this window are used", code="quota")
        self._people[person] = (since, left - 1)

    def give_back(self, person: Hashable) -> None:
        """The platform did not take the message after all."""
        if known := self._people.get(person):
            self._people[person] = (known[0], min(known[1] + 1, self._quota))

    def shut(self, person: Hashable) -> None:
        """The platform says that nothing more is taken until the person writes."""
        self._people[person] = (self._clock().timestamp(), 0)
