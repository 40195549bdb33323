"""What sync_msg hands out, as the hub understands it. Pure.

https://developer.work.weixin.qq.com/document/path/94670 (messages and events)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from hub.message import Conversation, Event, InboundMessage, Link, Location, Media, Part, Text
from hub.person import Evidence, Identity


class Origin(IntEnum):
    """Who said it; only the customer is answered."""

    CUSTOMER = 3
    SYSTEM = 4
    SERVICER = 5


class Words(BaseModel):
    content: str = ""


class Reference(BaseModel):
    media_id: str = ""


class Place(BaseModel):
    latitude: float = 0.0
    longitude: float = 0.0
    name: str = ""
    address: str = ""


class Page(BaseModel):
    title: str = ""
    desc: str = ""
    url: str = ""


class Happening(BaseModel):
    """An event: who and where stand inside it, not beside it."""

    event_type: str = ""
    open_kfid: str = ""
    external_userid: str = ""
    welcome_code: str = ""
    scene: str = ""
    scene_param: str = ""
    fail_msgid: str = ""
    fail_type: int = 0
    change_type: int = 0


class Item(BaseModel):
    """One entry of msg_list. Kinds and fields that are not named here are let through unread."""

    msgid: Annotated[str, Field(min_length=1)]
    send_time: Annotated[int, Field(ge=0, lt=10**10)] = 0
    origin: int = 0
    msgtype: str = ""
    external_userid: str = ""
    servicer_userid: str = ""
    text: Words = Words()
    image: Reference = Reference()
    voice: Reference = Reference()
    video: Reference = Reference()
    file: Reference = Reference()
    location: Place = Place()
    link: Page = Page()
    event: Happening = Happening()

    @property
    def customer(self) -> str:
        """Whom it is about; "" for what concerns the desk alone."""
        return self.external_userid or self.event.external_userid


class Answered(BaseModel):
    """What sync_msg answers. Its entries are read one by one, so that a broken one keeps no other back."""

    next_cursor: str = ""
    has_more: int = 0
    msg_list: list[dict[str, Any]] = []


def decode(item: Item, *, channel: str, desk: str) -> InboundMessage:
    """The message of a customer, or the record of what the system or a colleague did."""
    part = _part(item) if item.origin == Origin.CUSTOMER else _record(item)
    return InboundMessage(
        key=item.msgid,
        conversation=Conversation(channel, desk, item.customer),
        sender=Identity(channel, desk, item.customer),
        parts=(part,),
        sent_at=datetime.fromtimestamp(item.send_time, UTC) if item.send_time else None,
        addressed=item.origin == Origin.CUSTOMER and not _blank(part),
    )


def _blank(part: Part) -> bool:
    return isinstance(part, Text) and not part.text.strip()


def _part(item: Item) -> Part:
    match item.msgtype:
        case "text":
            return Text(item.text.content)
        case "image" | "voice" | "video" | "file":
            return _media(item.msgtype, item)
        case "location":
            place = item.location
            return Location(place.latitude, place.longitude, place.name or place.address)
        case "link":
            return Link(item.link.url, item.link.title, item.link.desc)
        case kind:
            return Event(kind.lower())


def _media(kind: Literal["image", "voice", "video", "file"], item: Item) -> Media:
    reference: Reference = getattr(item, kind)
    return Media(kind, reference.media_id, media_type="audio/amr" if kind == "voice" else "")


def _record(item: Item) -> Part:
    """What the customer did not say must not look like their words."""
    if item.origin == Origin.SERVICER:
        return Event("servicer", item.servicer_userid)
    happened = item.event
    return Event(happened.event_type.lower() or "system", happened.scene or happened.fail_msgid)


def settle(
    messages: Sequence[InboundMessage],
    *,
    silent: frozenset[str],
    known: Mapping[str, tuple[Evidence, ...]],
    since: datetime | None,
) -> list[InboundMessage]:
    """The messages of one page with what is known beside them.

    Not answered: customers in `silent` (people see to them), what was sent before `since`, and of several messages
    without words and files all but one, and that one only where nothing of the same customer follows: each answer costs
    one of five.
    """
    last = {message.sender.user: message.key for message in messages if message.addressed}
    settled = []
    for message in messages:
        user = message.sender.user
        late = bool(since and message.sent_at and message.sent_at < since)
        file = any(isinstance(part, Media) and part.kind == "file" for part in message.parts)
        said = bool(message.text.strip()) or file or last.get(user) == message.key
        addressed = message.addressed and said and not late and user not in silent
        settled.append(replace(message, addressed=addressed, evidence=known.get(user, ())))
    return settled
