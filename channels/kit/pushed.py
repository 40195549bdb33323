"""What WeChat and WeCom push to a callback in XML, as the hub understands it; both use the same words. Pure.

https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_event_pushes.html
https://developer.work.weixin.qq.com/document/path/90239
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from hub.errors import Unreadable
from hub.message import Action, Conversation, Event, InboundMessage, Link, Location, Media, Part, Text
from hub.person import Identity

MediaKind = Literal["image", "voice", "video", "file"]
MEDIA: Mapping[str, MediaKind] = {
    "image": "image",
    "voice": "voice",
    "video": "video",
    "shortvideo": "video",
    "file": "file",
}
Want = Literal["reply", "welcome", "nothing"]
"""What the person gets: a reply (to a message without words the hub asks for words), a welcome, or nothing."""


@dataclass(frozen=True, slots=True)
class Push:
    """A message with the name that our side has in it, and who answers it."""

    message: InboundMessage
    to: str
    want: Want


def decode(fields: Mapping[str, str], *, channel: str, account: str) -> Push:
    """Raises Unreadable for a body that is no message at all; every kind that nobody knows is an event."""
    user, to, kind = fields.get("FromUserName", ""), fields.get("ToUserName", ""), fields.get("MsgType", "")
    if not user or not to or not kind:
        raise Unreadable("FromUserName, ToUserName or MsgType is missing")
    part, want = _event(fields) if kind == "event" else _message(kind, fields)
    message = InboundMessage(
        key=_key(fields, kind),
        conversation=Conversation(channel, account, user),
        sender=Identity(channel, account, user),
        parts=(part,),
        sent_at=_moment(fields.get("CreateTime", "")),
        addressed=want == "reply",
    )
    return Push(message, to, want)


def _key(fields: Mapping[str, str], kind: str) -> str:
    """MsgId; events have none, and two clicks may share sender and second. A button pressed twice is one choice.

    MsgID (in *JOBFINISH events) is the id of something that we sent, so it is only one mark among others.
    """
    if kind != "event" and fields.get("MsgId"):
        return fields["MsgId"]
    if fields.get("Event") == "template_card_event":
        return ":".join(["press", fields["FromUserName"], fields.get("TaskId", ""), fields.get("EventKey", "")])
    marks = ("FromUserName", "CreateTime", "Event", "ChangeType", "EventKey", "MsgID")
    return ":".join([kind, *(fields.get(mark, "") for mark in marks)])


def _moment(seconds: str) -> datetime | None:
    return datetime.fromtimestamp(int(seconds), UTC) if re.fullmatch(r"[0-9]{1,10}", seconds) else None


def _message(kind: str, fields: Mapping[str, str]) -> tuple[Part, Want]:
    match kind:
        case "text":
            words = fields.get("Content", "")
            return Text(words), "reply" if words.strip() else "nothing"
        case "location":
            return _place(fields), "reply"
        case "link":
            return Link(fields.get("Url", ""), fields.get("Title", ""), fields.get("Description", "")), "reply"
        case _ if kind in MEDIA:
            return _media(MEDIA[kind], fields), "reply"
        case _:
            return Event(kind.lower()), "reply"


def _media(kind: MediaKind, fields: Mapping[str, str]) -> Media:
    """Speech comes with words where the account has its recognition switched on."""
    words = fields.get("Recognition", "").strip()
    return Media(kind, fields.get("MediaId", ""), media_type="audio/amr" if kind == "voice" else "", words=words)


def _place(fields: Mapping[str, str]) -> Part:
    try:
        latitude, longitude = float(fields.get("Location_X", "")), float(fields.get("Location_Y", ""))
    except ValueError:
        return Event("location")
    return Location(latitude, longitude, fields.get("Label", ""))


def _event(fields: Mapping[str, str]) -> tuple[Part, Want]:
    """Names of events differ in case (CLICK, subscribe), so they are compared in lower case."""
    name, detail = fields.get("Event", "").lower(), fields.get("EventKey", "")
    match name:
        case "click" | "template_card_event" if detail.strip():
            return Action(detail), "reply"
        case "subscribe":
            return Event(name, detail), "welcome"
        case _:
            return Event(name, detail), "nothing"
