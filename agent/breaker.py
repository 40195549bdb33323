"""A breaker: leaves alone what fails again and again, and tries it once in a while with a single question."""

from collections.abc import Callable
from typing import Literal

State = Literal["closed", "open", "half-open"]


class Breaker:
    """Closed: everything passes. Open after `failures` in a row: nothing does. After `pause` seconds: one does."""

    def __init__(self, *, failures: int = 5, pause: float = 15, clock: Callable[[], float]) -> None:
        self._failures = failures
        self._pause = pause
        self._clock = clock
        self._failed = 0
        self._tried_at = 0.0
        self._trying = False

    @property
    def state(self) -> State:
        """What the next question meets."""
        if self._failed < self._failures:
            return "closed"
        return "half-open" if not self._trying and self._clock() >= self._tried_at + self._pause else "open"

    def admits(self) -> bool:
        """Whether the next question may pass. One that passes is followed by `succeeded`, `failed` or `gave_up`."""
        state = self.state
        self._trying = self._trying or state == "half-open"
        return state != "open"

    def succeeded(self) -> None:
        """An answer came."""
        self._failed, self._trying = 0, False

    def failed(self) -> None:
        """No answer came."""
        self._failed += 1
        self._tried_at, self._trying = self._clock(), False

    def gave_up(self) -> None:
        """Nobody waits for the answer any more: it says nothing about what was asked."""
        self._trying = False
