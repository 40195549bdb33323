"""The words between a web page and the hub: what a page may say, and the events it is told. Pure.

The same JSON objects travel as text frames of a WebSocket, as `data:` of server-sent events, as bodies of
POSTs and as their answers. A stored event carries its number in the conversation, `event`; numbers have no
gap, so a page that tells the last number it saw is told all that it missed. An event is made from what the
journal holds and from nothing else: what is replayed is what was said the first time.

Beyond the published fields, `accepted` carries the text and the time, so that a page which is opened anew can
show the whole conversation; `reply` carries the time, and the choices that may be pressed; `delta` carries
`anew` where the text begins from its start; `error` the id of the message it speaks of, and the seconds to wait.
"""

import json
from dataclasses import dataclass
from typing import Annotated, Any, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from channels.h5.markup import clean, html, safe_url
from hub.channel import Recorded
from hub.errors import Refusal
from hub.message import Conversation, InboundMessage, OutboundMessage
from hub.texts import Texts

Code = Literal[
    "unreadable",
    "too_large",
    "no_hello",
    "greeted",
    "unknown_visitor",
    "identity_refused",
    "identity_expired",
    "origin_refused",
    "rate_limited",
    "crowded",
    "not_stored",
]
STATUS: dict[Code, int] = {
    "unreadable": 400,
    "too_large": 413,
    "no_hello": 400,
    "greeted": 400,
    "unknown_visitor": 401,
    "identity_refused": 401,
    "identity_expired": 401,
    "origin_refused": 403,
    "rate_limited": 429,
    "crowded": 429,
    "not_stored": 503,
}
LAST = 2**53
"""The largest number that every browser can hold."""

Event = dict[str, Any]
"""One event as JSON; nothing of it is read again inside the hub."""


class Fault(Refusal):
    """What a page asked for is not done; an `error` event tells it why. `message` is the id of what it said."""

    def __init__(self, code: Code, *, message: str = "", seconds: float = 0.0) -> None:
        super().__init__(code)
        self.code = code
        self.status = STATUS[code]
        self.message = message
        self.seconds = seconds


class _Said(BaseModel):
    """Unknown keys are left alone: a newer page may say more."""

    model_config = ConfigDict(strict=True, frozen=True)


class Hello(_Said):
    """The first words of a page. `visitor` is the token of an earlier welcome, `identity` a JWT."""

    type: Literal["hello"]
    visitor: Annotated[str, Field(max_length=2048)] = ""
    identity: Annotated[str, Field(max_length=8192)] = ""
    last_event: Annotated[int, Field(ge=0, le=LAST)] = 0


class Message(_Said):
    """A message of the visitor. The same `id` is the same message."""

    type: Literal["message"]
    id: Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
    text: Annotated[str, Field(pattern=r"\S")]


class Ping(_Said):
    """Are you there?"""

    type: Literal["ping"]


_ANY: TypeAdapter[Hello | Message | Ping] = TypeAdapter(Annotated[Hello | Message | Ping, Field(discriminator="type")])


def decode(data: str | bytes, *, characters: int) -> Hello | Message | Ping:
    """What the page said. Raises Fault."""
    try:
        said = _ANY.validate_json(data)
    except (ValidationError, UnicodeEncodeError):
        raise Fault("unreadable") from None
    if isinstance(said, Message) and len(said.text) > characters:
        raise Fault("too_large", message=said.id)
    return said


def encode(event: Event) -> str:
    """An event on the wire."""
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def key(conversation: Conversation, client_id: str) -> str:
    """The message's key in the journal: a page chooses its ids, so they are unique within its conversation only."""
    return f"{conversation.id}:{client_id}"


def client_id(conversation: Conversation, key: str) -> str:
    """The id that the page gave; "" where the key is not of this conversation."""
    start = f"{conversation.id}:"
    return key.removeprefix(start) if key.startswith(start) else ""


def welcome(visitor: str, conversation: Conversation) -> Event:
    """The page is known; it keeps the token."""
    return {"type": "welcome", "visitor": visitor, "conversation": conversation.id}


def pong() -> Event:
    """I am here."""
    return {"type": "pong"}


def delta(turn: str, text: str, *, anew: bool = False) -> Event:
    """The answer grows by text; not stored, so not numbered."""
    return {"type": "delta", "turn": turn, "text": clean(text), **({"anew": True} if anew else {})}


def stored(recorded: Recorded) -> Event:
    """An event of the conversation, under its number."""
    match recorded.message:
        case InboundMessage() as message:
            said: Event = {
                "type": "accepted",
                "id": client_id(message.conversation, message.key),
                "event": recorded.event,
                "text": clean(message.text),
            }
        case OutboundMessage() as message:
            said = _reply(message)
        case never:
            assert_never(never)
    return said | {"at": recorded.at.isoformat(timespec="seconds")}


def forgotten(client_id: str) -> Event:
    """The message was accepted once; what was said has been erased since, and its number with it."""
    return {"type": "accepted", "id": client_id, "event": 0}


def _reply(message: OutboundMessage) -> Event:
    text = clean(message.text)
    citations = [
        {"label": clean(c.label), "title": clean(c.title), "url": safe_url(c.url), "quote": clean(c.quote)}
        for c in message.citations
    ]
    choices = [{"label": clean(c.label or c.value), "value": clean(c.value)} for c in message.choices]
    return {
        "type": "reply",
        "turn": message.turn,
        "reply_to": client_id(message.conversation, message.reply_to),
        "event": message.event,
        "text": text,
        "html": html(text),
        "citations": citations,
        **({"choices": choices} if choices else {}),
    }


def error(fault: Fault, texts: Texts) -> Event:
    """Why something was not done, in the visitor's language."""
    wait = max(1, round(fault.seconds + 0.5)) if fault.seconds else 0
    said: Event = {"type": "error", "code": fault.code, "message": _message(fault.code, texts).format(seconds=wait)}
    return said | ({"id": fault.message} if fault.message else {}) | ({"seconds": wait} if wait else {})


@dataclass(frozen=True, slots=True)
class Growing:
    """What travels between replicas while an answer grows: the whole text so far, so that one lost costs nothing."""

    turn: str
    text: str

    def dump(self) -> str:
        """As the live topic carries it."""
        return json.dumps([self.turn, self.text], ensure_ascii=True)

    @classmethod
    def load(cls, data: str) -> "Growing":
        """What `dump` wrote."""
        turn, text = json.loads(data)
        return cls(turn, text)


def _message(code: Code, texts: Texts) -> str:
    sentence: str = getattr(texts.web, code)
    return sentence
