"""What is said: messages in, messages out, and the parts they are made of. Frozen values, no input or output.

A message carries no bag for platform extras. What a channel needs to answer later (a session
webhook, a response URL, the id of the message to quote) stands in `context`: a string that only the
channel that wrote it reads.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from hub.person import Evidence, Identity


@dataclass(frozen=True, slots=True)
class Text:
    """Words of the person, exactly as the platform gave them, their own mention of us removed."""

    text: str
    kind: Literal["text"] = "text"


@dataclass(frozen=True, slots=True)
class Media:
    """An image, a voice message, a video or a file.

    `reference` is what Channel.fetch needs to get the bytes (a media id, a URL, a download code).
    `words` is what the platform itself recognised in a voice message, "" where it did not.
    """

    kind: Literal["image", "voice", "video", "file"]
    reference: str
    name: str = ""
    media_type: str = ""
    size: int | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Link:
    """A page that the person shared."""

    url: str
    title: str = ""
    description: str = ""
    kind: Literal["link"] = "link"


@dataclass(frozen=True, slots=True)
class Location:
    """A place that the person shared; degrees."""

    latitude: float
    longitude: float
    label: str = ""
    kind: Literal["location"] = "location"


@dataclass(frozen=True, slots=True)
class Action:
    """A button, a menu entry or a choice that the person pressed."""

    value: str
    label: str = ""
    kind: Literal["action"] = "action"


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened without words: "subscribe", "scan", "enter", an unknown kind …

    `name` is the platform's own name in lower case, `detail` its key ("" where it has none).
    """

    name: str
    detail: str = ""
    kind: Literal["event"] = "event"


Part = Annotated[Text | Media | Link | Location | Action | Event, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Where something is said. `id` is unique within (channel, account).

    Private: usually the user's id. Group: the group's id, with the thread or the member behind it
    where these have a context of their own (the channel decides, by its settings).
    """

    channel: str
    account: str
    id: str
    kind: Literal["private", "group"] = "private"


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """One message of a person. (channel, account, key) names it for ever: the same is never worked on twice."""

    key: str
    conversation: Conversation
    sender: Identity
    parts: tuple[Part, ...]
    sent_at: datetime | None = None
    """When the platform says it was sent (aware); None where it does not say."""
    addressed: bool = True
    """False: recorded, not answered (a group message that is not meant for us, noise, an echo)."""
    context: str = ""
    evidence: tuple[Evidence, ...] = ()

    @property
    def text(self) -> str:
        """The words in it: texts, recognised speech and pressed choices, a line each."""
        words = []
        for part in self.parts:
            match part:
                case Text(text=text) if text.strip():
                    words.append(text)
                case Media(words=spoken) if spoken.strip():
                    words.append(spoken)
                case Action(value=value) if value.strip():
                    words.append(value)
                case _:
                    pass
        return "\n".join(words)


@dataclass(frozen=True, slots=True)
class Citation:
    """A passage that a statement rests on. `quote` is an exact slice of the document's text.

    `label` is the mark in the answer's text: "1" for `[1]`. `url` is "" where the document has none.
    """

    label: str
    title: str
    url: str
    quote: str


@dataclass(frozen=True, slots=True)
class Choice:
    """Something to press, or to say where there is nothing to press: `value` comes back as the person's words.

    `say` is what to say in its place where `value` is made for a button; "" = the value itself.
    """

    label: str
    value: str
    say: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the agent says: Markdown text with marks like `[1]`, the citations of those marks, and choices."""

    text: str
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True, slots=True)
class OutboundMessage:
    """One message to send: a reply, or a piece of it, already fit to what the channel can show.

    `id` is the row in the outbox, the same at every try (an idempotency key for platforms that take one).
    `event` is its number within the conversation. `reply_to` is the key of the message it answers and
    `context` that message's context; both "" when nobody asked. `live` is the handle of the live reply
    that this message brings to its end, "" when there is none. `first` / `last` say whether it is the
    first or the last piece of its reply. `retry` is True when an earlier try may have arrived.
    """

    id: int
    turn: str
    conversation: Conversation
    recipient: Identity
    text: str
    event: int
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    reply_to: str = ""
    context: str = ""
    live: str = ""
    first: bool = True
    last: bool = True
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Receipt:
    """A platform's acknowledgement of a message: its id there ("" where it gives none)."""

    id: str = ""
    note: str = field(default="", compare=False)
