"""What a platform must be able to do: the port that every module in channels/ implements.

Two abstract methods carry a platform: `routes` brings messages in, `send` takes them out. The rest has
defaults. Differs from the first sketch in one point: `traits` belongs to the instance, because every
limit of a platform is a setting.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Generic, Literal, Protocol, TypeVar

import aiohttp
from aiohttp import web
from pydantic import BaseModel

from hub.coordination import Coordination
from hub.errors import Impossible
from hub.message import Conversation, InboundMessage, Media, OutboundMessage, Receipt
from hub.person import Evidence

SettingsT = TypeVar("SettingsT", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Traits:
    """What a platform can show, and its limits.

    `text_bytes`: most bytes of UTF-8 in one message, None = no limit; a reply is cut to it between sentences,
    never inside a character. `markdown`: shows Markdown; else it is turned into plain text. `citations`: "own"
    (the channel shows OutboundMessage.citations itself), "links" (a Markdown list is put under the text), "lines"
    (plain lines "来源：…"). `choices`: shows buttons itself, below a text of at most `choices_bytes` (None = any);
    else the hub writes them out as words to say. `pulled`: people fetch replies from the journal, so that storing
    one delivers it. `answers_request`: a reply may go out as the HTTP answer of the message it belongs to
    (Ticket.reply), and `after_answer` is the pause in seconds between that answer and what follows it by another
    way; `pushes`: it may be sent at any other time. `most_parts`: at most so many messages for one question, None
    = no limit; what is more is kept for the next question.
    """

    text_bytes: int | None = None
    markdown: bool = True
    citations: Literal["own", "links", "lines"] = "lines"
    choices: bool = False
    choices_bytes: int | None = None
    pulled: bool = False
    answers_request: bool = False
    after_answer: float = 0.0
    pushes: bool = True
    most_parts: int | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """One stored event of a conversation: a message in or out, under its number."""

    event: int
    message: InboundMessage | OutboundMessage
    at: datetime


class Ticket(Protocol):
    """A stored message. The same message always gives the same ticket."""

    event: int
    turn: str
    fresh: bool
    """True when this call stored it, False when it was there already."""

    async def reply(self, *, within: float, rest: bool = False) -> OutboundMessage | None:
        """The reply, to be given in the HTTP answer that is open now; None when it is not there in time.

        What is returned is claimed: it is not sent in another way unless this answer turns out to be
        lost; the same message asked again gets the same text again. Replies of the conversation that
        still wait come first, together in one text as far as `text_bytes` allows. `rest`: this is the
        platform's last try, so when time is up whatever waits for this conversation is claimed.
        """
        ...

    async def written(self) -> None:
        """The claimed reply was written to the platform: it counts as delivered."""
        ...


class Inbox(Protocol):
    """Where messages go."""

    async def accept(self, message: InboundMessage) -> Ticket:
        """Stores the message; it is on disk when this returns.

        Raises NotStored when it could not be stored: answer 503 and acknowledge nothing.
        """
        ...

    async def find(self, conversation: Conversation, key: str) -> Ticket | None:
        """The ticket of a message that was accepted earlier (a poll, a click on an old card)."""
        ...

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        """The person recalled the message: it is not answered any more, and not shown to the agent."""
        ...

    async def give_back(self, conversation: Conversation) -> None:
        """The platform's own people have finished: the agent answers again. Nothing where it does already."""
        ...


class Record(Protocol):
    """What was stored of a conversation, and the channel's own durable notes."""

    async def events(self, conversation: Conversation, *, after: int, limit: int = 200) -> Sequence[Recorded]:
        """Events with a number above `after`, in order."""
        ...

    async def note(self, key: str) -> str | None:
        """A durable value of this channel (a cursor, a state), None when there is none."""
        ...

    async def keep_note(self, key: str, value: str) -> None:
        """Stores it; on disk when this returns."""
        ...


class Live(ABC):
    """A reply that grows before the person's eyes. Made by Channel.live, ended by Channel.send.

    `handle` names it for ever (a card id, a stream id). It is stored before anything is shown, so that
    after a crash the finished reply still finds it: OutboundMessage.live carries it to `send`, which
    brings the live reply to its final text.
    """

    handle: str = ""

    @abstractmethod
    async def grow(self, text: str) -> None:
        """Shows `text`, the whole text so far. Returns at once; only the latest text counts; raises nothing."""

    @abstractmethod
    async def close(self) -> None:
        """No more text comes; returns when nothing of it is under way. Raises nothing."""


@dataclass(frozen=True, slots=True)
class Site:
    """What a channel is given to stand on."""

    name: str
    inbox: Inbox
    record: Record
    http: aiohttp.ClientSession
    coordination: Coordination
    clock: Callable[[], datetime]
    public_url: str = ""
    warn: Callable[[str, str], None] = lambda key, text: None
    """Shows a warning in the log, in /readyz and in the metrics under `key`; an empty text takes it back."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What `doctor` found out about one setting. `advice` says what to do, "" when it is right."""

    setting: str
    ok: bool
    text: str
    advice: str = ""


class Channel(ABC, Generic[SettingsT]):
    """One configured connection to a platform."""

    kind: ClassVar[str]
    settings_type: ClassVar[type[BaseModel]]
    own_people: ClassVar[bool] = False
    """The platform's own people take a conversation over, and only they give it back."""

    def __init__(self, settings: SettingsT, site: Site) -> None:
        self.settings = settings
        self.site = site

    @property
    def name(self) -> str:
        """The name in hub.toml."""
        return self.site.name

    @property
    @abstractmethod
    def traits(self) -> Traits:
        """What the platform can show, by these settings."""

    @abstractmethod
    def routes(self) -> Iterable[web.AbstractRouteDef]:
        """The callbacks, below /channels/<name>.

        Handlers raise Refusal and NotStored; the hub answers with their status.
        """

    @abstractmethod
    async def send(self, message: OutboundMessage) -> Receipt:
        """Hands one message to the platform. Raises DeliveryError, which says what to do next."""

    async def live(self, message: InboundMessage) -> Live | None:
        """Opens a reply that grows, or only a sign that an answer is coming; None where there is none.

        Raises nothing.
        """
        return None

    async def run(self) -> None:
        """Holds a long connection until it is cancelled. Returns at once where the platform has none."""

    async def vouch(self, user: str) -> tuple[Evidence, ...]:
        """What the platform's directory knows of this sender besides the message; () where it is not asked.

        Cached and limited by the channel; raises nothing.
        """
        return ()

    async def hand_over(self, message: InboundMessage, turn: str) -> None:
        """People take over once the reply of this turn is sent: told to a platform that has people of its own.

        Raises nothing.
        """

    async def fetch(self, media: Media) -> bytes:
        """The bytes of a media part, within the channel's size limit. Raises DeliveryError."""
        raise Impossible(f"{self.kind} brings no media")

    def doctor(self) -> AsyncIterator[Finding]:
        """Tries the credentials and the callback settings against the platform."""
        return _nothing()

    async def close(self) -> None:
        """Ends what the channel opened itself."""


async def _nothing() -> AsyncIterator[Finding]:
    return
    yield


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
