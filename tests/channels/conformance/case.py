"""What a kind of channel tells about itself, so that the facts of this folder hold for it too.

A Case says how the platform signs, and what a text message looks like; it excuses its channel from a fact only with
the reason, which is shown where a fact is passed over. A new kind needs a module `tests/channels/<kind>/case.py` with
`CASES`, and nothing else.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from config import ChannelSection
from hub.channel import Channel

if TYPE_CHECKING:
    from tests.channels.conformance.world import Api


@dataclass(frozen=True, slots=True)
class Call:
    """One POST to a channel."""

    body: bytes = b""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def changed(self, name: str, value: str) -> "Call":
        """With another value of this query parameter or header."""
        if name in self.query:
            return replace(self, query={**self.query, name: value})
        return replace(self, headers={**self.headers, name: value})

    def proof(self, name: str) -> str:
        """The value of this query parameter or header."""
        return self.query[name] if name in self.query else self.headers[name]


class Door(Protocol):
    """A channel that can be called, and the API that it calls."""

    @property
    def api(self) -> "Api": ...

    async def post(self, call: Call) -> tuple[int, bytes]: ...


class Case(ABC):
    """One kind of channel in one mode."""

    kind: ClassVar[str]
    mode: ClassVar[str] = ""
    path: ClassVar[str] = ""
    """Below /channels/<name>."""
    secrets: ClassVar[tuple[str, ...]]
    """What never shows."""
    proofs: ClassVar[tuple[str, ...]]
    """Query parameters and headers that prove a call, none of which may differ in one byte."""

    no_age: ClassVar[str] = ""
    """Why an old call is as good as a new one; "" where it is refused."""
    no_signed_body: ClassVar[str] = ""
    """Why a body may differ from what was signed; "" where the signature covers it."""
    no_api: ClassVar[str] = ""
    """Why sending calls no API; "" where it does."""

    def __str__(self) -> str:
        return f"{self.kind}-{self.mode}" if self.mode else self.kind

    @abstractmethod
    def settings(self, api: str) -> ChannelSection:
        """The section of hub.toml; the platform's API is at `api`."""

    @abstractmethod
    def message(self, words: str, key: str, api: "Api") -> bytes:
        """A text message of one person under this key, as it is before it is signed and sealed."""

    @abstractmethod
    def sign(self, inside: bytes, *, at: float | None = None) -> Call:
        """The call that carries this, signed at that time (None: now) and sealed where the platform seals."""

    def covered(self, call: Call) -> range:
        """The bytes of the body that the signature covers."""
        return range(len(call.body))

    def forged(self, call: Call) -> Iterator[Call]:
        """The call with one byte changed, at every place that matters."""
        for name in self.proofs:
            value = call.proof(name)
            for at in range(0, len(value), max(len(value) // 12, 1)):
                yield call.changed(name, value[:at] + other(value[at]) + value[at + 1 :])
        if not self.no_signed_body:
            covered = self.covered(call)
            for at in covered[:: max(len(covered) // 40, 1)]:
                yield replace(call, body=flipped(call.body, at))

    async def begin(self, world: Door) -> None:  # noqa: B027 — most kinds need nothing
        """What has to happen before the first message."""

    async def settle(self, channel: Channel[Any]) -> None:  # noqa: B027 — most kinds work inside the call
        """Returns when the channel has nothing under way."""


def other(character: str) -> str:
    """Another character that may stand in the same place."""
    return "1" if character == "0" else "0"


def flipped(body: bytes, at: int) -> bytes:
    """The body with one bit of one byte changed."""
    return body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]


def within(body: bytes, begin: bytes, end: bytes) -> range:
    """The bytes between two marks."""
    start = body.index(begin) + len(begin)
    return range(start, body.index(end, start))


def now(at: float | None) -> float:
    """Seconds since 1970."""
    return time.time() if at is None else at
