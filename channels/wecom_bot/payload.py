"""Callbacks of the AI bot and what they become here. Pure.

https://developer.work.weixin.qq.com/document/path/100719 (messages), /101027 (events). The same objects come in
the body of a callback and in the frames of the long connection.
"""

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.wecom_bot.settings import Settings
from hub.errors import Unreadable
from hub.message import Conversation, Event, InboundMessage, Media, Part, Text
from hub.person import Identity

Id = Field(min_length=1, max_length=512)


class Shape(BaseModel):
    """Fields that nobody reads are left alone."""

    model_config = ConfigDict(populate_by_name=True)


class Words(Shape):
    """Text, and speech as text."""

    content: str = ""


class File(Shape):
    """An encrypted file, five minutes to be had. `aeskey` comes over the long connection only."""

    url: str = ""
    aeskey: str = ""


class Item(Shape):
    """One item of a mixed message."""

    msgtype: str = ""
    text: Words = Words()
    image: File = File()


class Mixed(Shape):
    """Words and pictures in one message."""

    msg_item: list[Item] = []


class From(Shape):
    """Who sent it."""

    userid: str = Id


class Stream(Shape):
    """What a poll asks for."""

    id: str = Id


class Happening(Shape):
    """What an event is about."""

    eventtype: str = Id


class Callback(Shape):
    """Everything that WeCom tells a bot."""

    msgtype: str = Id
    msgid: str = ""
    aibotid: str = ""
    chatid: str = ""
    chattype: Literal["single", "group"] = "single"
    sender: From | None = Field(default=None, alias="from")
    response_url: str = ""
    create_time: int | None = None
    text: Words | None = None
    voice: Words | None = None
    mixed: Mixed | None = None
    image: File | None = None
    file: File | None = None
    video: File | None = None
    stream: Stream | None = None
    event: Happening | None = None


class Context(BaseModel):
    """Where a message can be answered: until when it was young (seconds), its response_url, its req_id."""

    at: float = 0.0
    url: str = ""
    req: str = ""


def read(given: bytes | object) -> Callback:
    """The callback with its types. Raises Unreadable."""
    try:
        data = json.loads(given) if isinstance(given, bytes) else given
        callback = Callback.model_validate(data)
    except ValidationError as error:
        raise Unreadable(", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:5])) from None
    except (ValueError, RecursionError):
        raise Unreadable("the callback is no JSON") from None
    if callback.msgtype == "event" and callback.event is None:
        raise Unreadable("the event is missing")
    if callback.msgtype == "stream" and callback.stream is None:
        raise Unreadable("the stream is missing")
    return callback


def decode(callback: Callback, settings: Settings, channel: str, *, now: datetime, req: str = "") -> InboundMessage:
    """A message of a person. Raises Unreadable."""
    if not callback.msgid or callback.sender is None:
        raise Unreadable("msgid or sender is missing")
    return InboundMessage(
        key=callback.msgid,
        conversation=conversation(callback, settings, channel),
        sender=Identity(channel, callback.aibotid, callback.sender.userid),
        parts=tuple(_parts(callback, settings)),
        sent_at=_moment(callback.create_time),
        context=Context(at=now.timestamp(), url=callback.response_url, req=req).model_dump_json(),
    )


def _moment(seconds: int | None) -> datetime | None:
    """No message is lost over its date."""
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 < seconds < 1 << 33 else None


def conversation(callback: Callback, settings: Settings, channel: str) -> Conversation:
    """Where it is said. Raises Unreadable."""
    if callback.sender is None:
        raise Unreadable("the sender is missing")
    user = callback.sender.userid
    if callback.chattype == "single" or not callback.chatid:
        return Conversation(channel, callback.aibotid, user)
    member = f"|{user}" if settings.group_context == "member" else ""
    return Conversation(channel, callback.aibotid, callback.chatid + member, "group")


def chat_of(place: Conversation) -> str:
    """What WeCom calls the conversation: a group's chatid, or the user's id."""
    return place.id.partition("|")[0] if place.kind == "group" else place.id


def context_of(text: str) -> Context:
    """What `context` says; an empty one where it says nothing."""
    return Context.model_validate_json(text) if text else Context()


def stream_id(key: str) -> str:
    """The stream that answers the message with this key. One names the other, so nothing has to be remembered."""
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def key_of(stream: str) -> str:
    """The key of the message that a stream answers; "" for a stream that is none of ours."""
    try:
        return base64.urlsafe_b64decode(stream.encode("ascii") + b"=" * (-len(stream) % 4)).decode()
    except (UnicodeError, binascii.Error, ValueError):
        return ""


def _parts(callback: Callback, settings: Settings) -> Iterator[Part]:
    group = callback.chattype == "group"
    match callback.msgtype:
        case "text":
            yield Text(_without_mention((callback.text or Words()).content, settings.bot_name, group=group))
        case "voice":
            yield Media("voice", "", words=(callback.voice or Words()).content)
        case "mixed":
            yield from _items(callback.mixed or Mixed(), settings.bot_name, group=group)
        case "image" | "video" | "file" as kind:
            yield Media(kind, (getattr(callback, kind) or File()).model_dump_json())
        case other:
            yield Event(other.lower())


def _items(mixed: Mixed, name: str, *, group: bool) -> Iterator[Part]:
    for item in mixed.msg_item:
        if item.msgtype == "text":
            yield Text(_without_mention(item.text.content, name, group=group))
        elif item.msgtype == "image":
            yield Media("image", item.image.model_dump_json())


def _without_mention(text: str, name: str, *, group: bool) -> str:
    """A group's text without the mention of the bot, which always stands in it; others keep theirs."""
    text = text.strip()
    if not group:
        return text
    if name:
        return text.replace(f"@{name}", "", 1).strip()
    return (text.split(maxsplit=1)[1:] or [""])[0] if text.startswith("@") else text


def file_of(media: Media) -> File:
    """What a media part refers to. Raises Unreadable."""
    try:
        return File.model_validate_json(media.reference)
    except ValidationError:
        raise Unreadable("the message named no file") from None
