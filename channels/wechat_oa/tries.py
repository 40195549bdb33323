"""Which try of one message this is: WeChat asks up to three times, the last one must be answered.

Counted here, and told from the clock for tries that this process did not see (a restart, another replica, a
callback that could not be stored).
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
"""

import time
from collections.abc import Callable
from datetime import datetime


class Tries:
    """Counts tries by the key of their message, for as long as WeChat may repeat it."""

    def __init__(self, *, most: int, cut: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._most, self._cut, self._clock = most, cut, clock
        self._seen: dict[str, tuple[int, float]] = {}

    def number(self, key: str, *, fresh: bool, sent_at: datetime | None, signed_at: float, now: datetime) -> int:
        """The number of this try, from 1 to `most`.

        `signed_at` is WeChat's own clock, so that its distance to `sent_at` holds however wrong ours is. Ours is
        asked only for a message that was stored before and that this process does not know.
        """
        self._forget()
        count, since = self._seen.get(key, (0, self._clock()))
        number = count + 1 if fresh or count else 2
        if sent_at:
            number = max(number, self._after(signed_at - sent_at.timestamp()))
        if sent_at and not fresh and not count:
            number = max(number, self._after((now - sent_at).total_seconds()))
        self._seen[key] = (max(number, count), since)
        return min(number, self._most)

    def _after(self, seconds: float) -> int:
        """The try that comes so many seconds after the message."""
        return 1 + min(max(int(seconds // self._cut), 0), self._most - 1)

    def _forget(self) -> None:
        """Drops what is older than all tries together; the oldest stands first."""
        over = self._clock() - 2 * self._most * self._cut
        while self._seen and next(iter(self._seen.values()))[1] < over:
            del self._seen[next(iter(self._seen))]
