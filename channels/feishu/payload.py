"""Events of Feishu and what they become here. Pure.

im.message.receive_v1   https://open.feishu.cn/document/server-docs/im-v1/message/events/receive
im.message.recalled_v1  https://open.feishu.cn/document/server-docs/im-v1/message/events/recalled
card.action.trigger     https://open.feishu.cn/document/feishu-cards/card-callback-communication

A message is known by its message_id: a redelivery has the same event_id, but one message can come under two of them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, Field, ValidationError, field_validator

from channels.feishu import content
from channels.feishu.settings import Settings
from hub.errors import Unreadable
from hub.message import Action, Conversation, InboundMessage
from hub.person import Evidence, Identity

Id = Field(min_length=1, max_length=256)
ShapeT = TypeVar("ShapeT", bound=BaseModel)
LONGEST_NAME = 100
"""Characters of a name that are shown to the agent."""


class Header(BaseModel):
    """What stands around every event of schema 2.0."""

    event_id: str = ""
    event_type: str = ""
    create_time: str = ""
    tenant_key: str = ""
    app_id: str = ""


class Callback(BaseModel):
    """Any callback: an event, or the check of the address."""

    type: str = ""
    challenge: str = ""
    header: Header = Header()
    event: Mapping[str, Any] = {}


class UserId(BaseModel):
    """Someone: within the app, within the developer's apps, within the tenant (only with a permission of its own)."""

    open_id: str | None = None
    union_id: str | None = None
    user_id: str | None = None


class Sender(BaseModel):
    """Who wrote: a person, or an app."""

    sender_id: UserId | None = None
    sender_type: str = "user"
    tenant_key: str = ""


class Mention(BaseModel):
    """Somebody who is mentioned; `key` stands for them in the text."""

    key: str = Id
    id: UserId = UserId()
    name: str = ""

    @property
    def shown(self) -> str:
        """The name in one short line, and never none: people call themselves what they like."""
        return " ".join(self.name.split())[:LONGEST_NAME] or "…"

    @field_validator("id", mode="before")
    @classmethod
    def _plain(cls, given: object) -> object:
        return {"open_id": given} if isinstance(given, str) else given


class Message(BaseModel):
    """`event.message`."""

    message_id: str = Id
    chat_id: str = Id
    chat_type: str = "p2p"
    thread_id: str | None = None
    message_type: str = Id
    content: str = ""
    create_time: str = ""
    mentions: list[Mention] | None = None


class Receive(BaseModel):
    """The event im.message.receive_v1."""

    sender: Sender
    message: Message


class Recall(BaseModel):
    """The event im.message.recalled_v1."""

    message_id: str = Id
    chat_id: str = Id


class Value(BaseModel):
    """What a button of ours carries: the words it stands for, and what of the conversation its click does not tell."""

    say: str
    label: str = ""
    kind: Literal["private", "group"] = "private"
    thread: str = ""


class Pressed(BaseModel):
    """`event.action`."""

    value: object = None


class Where(BaseModel):
    """`event.context`."""

    open_message_id: str = ""
    open_chat_id: str = ""


class Click(BaseModel):
    """The callback card.action.trigger."""

    operator: UserId
    action: Pressed = Pressed()
    context: Where = Where()


class Place(BaseModel):
    """The context of a message: what to answer, and where."""

    message: str = ""
    chat: str = ""
    thread: str = ""


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """A message was recalled."""

    conversation: Conversation
    key: str


def read(body: Mapping[str, Any]) -> Callback:
    """The callback in a proven body. Raises Unreadable."""
    return _shaped(Callback, body)


def mentions_somebody(callback: Callback) -> bool:
    """Whether it has to be known who we are to decode this."""
    message = callback.event.get("message")
    return isinstance(message, Mapping) and bool(message.get("mentions"))


def decode(callback: Callback, settings: Settings, channel: str, *, bot: str) -> InboundMessage | Withdrawn | None:
    """What the callback says; None where it is nothing to us. `bot` is our own open_id. Raises Unreadable."""
    if callback.header.app_id not in ("", settings.app_id):
        return None
    reader = Reader(settings, channel, callback.header)
    match callback.header.event_type:
        case "im.message.receive_v1":
            return reader.message(_shaped(Receive, callback.event), bot)
        case "im.message.recalled_v1":
            recall = _shaped(Recall, callback.event)
            return Withdrawn(Conversation(channel, settings.app_id, recall.chat_id), recall.message_id)
        case "card.action.trigger":
            return reader.click(callback.event)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the events of one channel."""

    settings: Settings
    channel: str
    header: Header

    def message(self, receive: Receive, bot: str) -> InboundMessage | None:
        """The message; None where no person wrote it: bots that answer each other never end."""
        said, who = receive.message, receive.sender.sender_id or UserId()
        if receive.sender.sender_type != "user":
            return None
        kind: Literal["private", "group"] = "private" if said.chat_type == "p2p" else "group"
        mentions = said.mentions or []
        names = {m.key: "" if bot and m.id.open_id == bot else m.shown for m in mentions}
        place = Place(message=said.message_id, chat=said.chat_id, thread=said.thread_id or "")
        return InboundMessage(
            key=said.message_id,
            conversation=self._conversation(place, kind, _user(who)),
            sender=Identity(self.channel, self.settings.app_id, _user(who)),
            parts=content.parts(said.message_type, said.content, names, message=said.message_id),
            sent_at=moment(said.create_time),
            addressed=kind == "private" or "" in names.values(),
            context=place.model_dump_json(),
            evidence=_evidence(who, receive.sender.tenant_key or self.header.tenant_key),
        )

    def click(self, event: Mapping[str, Any]) -> InboundMessage | None:
        """A choice that was pressed; None for a button that is not ours. Pressed twice it is the same choice.

        The chat is the one that Feishu names, never one that the button names.
        """
        flat = {"context": event, **event}  # in the older form the ids stand on top
        click = _shaped(Click, {**flat, "operator": event.get("operator", event)})
        try:
            value = Value.model_validate(click.action.value)
        except ValidationError:
            return None
        where, who = click.context, click.operator
        if not where.open_message_id or not where.open_chat_id:
            raise Unreadable("a click without its message")
        place = Place(message=where.open_message_id, chat=where.open_chat_id, thread=value.thread)
        return InboundMessage(
            key=_once(where.open_message_id, _user(who), value.say),
            conversation=self._conversation(place, value.kind, _user(who)),
            sender=Identity(self.channel, self.settings.app_id, _user(who)),
            parts=(Action(value.say, value.label),),
            sent_at=moment(self.header.create_time),
            context=place.model_dump_json(),
            evidence=_evidence(who, self.header.tenant_key),
        )

    def _conversation(self, place: Place, kind: Literal["private", "group"], user: str) -> Conversation:
        member = user if kind == "group" and self.settings.group_context == "member" else ""
        name = "/".join(filter(None, (place.chat, place.thread, member)))
        return Conversation(self.channel, self.settings.app_id, name, kind)


def chat_of(conversation: Conversation) -> str:
    """The chat_id of a conversation."""
    return conversation.id.partition("/")[0]


def place_of(context: str) -> Place:
    """What `context` says; an empty place where nobody asked."""
    return Place.model_validate_json(context) if context else Place()


def moment(given: str) -> datetime | None:
    """A time in milliseconds (clicks: microseconds); None for what is none: no message is lost over its date."""
    try:
        number = int(given)
        return datetime.fromtimestamp(number / (1_000_000 if number > 10**14 else 1000), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _user(who: UserId) -> str:
    if not who.open_id:
        raise Unreadable("the sender is missing")
    return who.open_id


def _evidence(who: UserId, tenant: str) -> tuple[Evidence, ...]:
    found = []
    if who.union_id:
        found.append(Evidence("feishu_union_id", who.union_id))
    if who.user_id and tenant:
        found.append(Evidence("feishu_user_id", f"{tenant}:{who.user_id}"))
    return tuple(found)


def _once(*names: str) -> str:
    return "click:" + hashlib.sha256("\n".join(names).encode("utf-8", "surrogatepass")).hexdigest()[:40]


def _shaped(shape: type[ShapeT], given: object) -> ShapeT:
    try:
        return shape.model_validate(given)
    except ValidationError as error:
        raise Unreadable(f"not a {shape.__name__.lower()} ({error.error_count()} faults)") from None
