"""A robot message of DingTalk and what it becomes here. Pure.

dingtalk-stream's ChatbotMessage maps the fields, pydantic holds their types. Field by field:
https://open.dingtalk.com/document/orgapp/robot-receive-message
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import PurePosixPath
from typing import Literal

from dingtalk_stream import ChatbotMessage
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from channels.dingtalk.settings import Settings
from hub.errors import Unreadable
from hub.message import Conversation, Event, InboundMessage, Media, Part, Text
from hub.person import Evidence, Identity

UNREAD = frozenset({"hostingContext", "conversationMsgContext", "atUsers"})
"""Fields that nothing here needs and whose odd contents would make ChatbotMessage refuse the whole message."""
OUTSIDER = "$:"
"""How the sender's id begins where there is no staff id: somebody from outside the organisation."""

Id = Field(min_length=1, max_length=512)


class Shape(BaseModel):
    """Read from an object of the SDK or from a dictionary."""

    model_config = ConfigDict(from_attributes=True, populate_by_name=True)


class Words(Shape):
    """`text` of a text message."""

    content: str = ""


class File(Shape):
    """`content` of a picture, voice, video or file message."""

    code: str = Field(default="", alias="downloadCode")
    spoken: str = Field(default="", alias="recognition")
    name: str = Field(default="", alias="fileName")


class Picture(Shape):
    """`content` of a picture message, as ChatbotMessage gives it."""

    download_code: str = ""


class Item(Shape):
    """One item of a rich text: words, or a picture."""

    text: str = ""
    code: str = Field(default="", alias="downloadCode")


class RichText(Shape):
    """`content` of a rich text message."""

    rich_text_list: list[Item] = []


class Rest(Shape):
    """What ChatbotMessage has no field for."""

    content: object = None
    union_id: str = Field(default="", alias="senderUnionId")


class Robot(Shape):
    """What is read of a ChatbotMessage."""

    message_id: str = Id
    conversation_id: str = Id
    message_type: str = Id
    sender_id: str | None = None
    sender_staff_id: str | None = None
    sender_corp_id: str | None = None
    robot_code: str | None = None
    conversation_type: Literal["1", "2"] = "1"
    session_webhook: str | None = None
    session_webhook_expired_time: int | None = None
    create_at: int | str | None = None
    text: Words | None = None
    image_content: Picture | None = None
    rich_text_content: RichText | None = None
    extensions: Rest

    @property
    def user(self) -> str:
        """The staff id; people from outside have only an encrypted id."""
        return self.sender_staff_id or self.sender_id or ""


class Session(BaseModel):
    """The context of a message: where it can be answered, and until when (milliseconds)."""

    webhook: str = ""
    until: int = 0


def decode(data: object, settings: Settings, channel: str) -> InboundMessage | None:
    """The message; None when it is meant for another robot. Raises Unreadable."""
    said = read(data)
    if said.robot_code not in (None, settings.robot):
        return None
    return InboundMessage(
        key=said.message_id,
        conversation=_conversation(said, settings, channel),
        sender=Identity(channel, settings.robot, said.user),
        parts=tuple(_parts(said)),
        sent_at=moment(said.create_at),
        context=_context(said),
        evidence=tuple(_evidence(said)),
    )


def read(data: object) -> Robot:
    """The fields with their types. Raises Unreadable."""
    if not isinstance(data, Mapping):
        raise Unreadable("the message is no object")
    known = {name: value for name, value in data.items() if name not in UNREAD and value is not None}
    try:
        said = Robot.model_validate(ChatbotMessage.from_dict(known))
    except ValidationError as error:
        raise Unreadable(", ".join(".".join(map(str, e["loc"])) for e in error.errors()[:5])) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(f"not a robot message ({type(error).__name__})") from None
    if not said.user:
        raise Unreadable("the sender is missing")
    return said


def moment(given: int | str | None) -> datetime | None:
    """A time in milliseconds; None for what is none, because no message is lost over its date."""
    try:
        return datetime.fromtimestamp(int(given or "") / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _conversation(said: Robot, settings: Settings, channel: str) -> Conversation:
    if said.conversation_type == "1":
        return Conversation(channel, settings.robot, said.user)
    member = f"|{said.user}" if settings.group_context == "member" else ""
    return Conversation(channel, settings.robot, said.conversation_id + member, "group")


def group_of(conversation: Conversation) -> str:
    """The openConversationId of a group's conversation; base64 has no "|"."""
    return conversation.id.partition("|")[0]


def _parts(said: Robot) -> Iterator[Part]:
    match said.message_type:
        case "text":
            yield Text((said.text or Words()).content.strip())
        case "richText":
            for item in (said.rich_text_content or RichText()).rich_text_list:
                if item.text.strip():
                    yield Text(item.text.strip())
                if item.code:
                    yield Media("image", item.code)
        case "picture":
            yield Media("image", (said.image_content or Picture()).download_code)
        case "audio" | "video" | "file":
            yield _media(said)
        case other:
            yield Event(other.lower())


def _media(said: Robot) -> Part:
    try:
        file = File.model_validate(said.extensions.content)
    except ValidationError:
        return Event(said.message_type)
    if said.message_type == "audio":
        return Media("voice", file.code, words=file.spoken)
    name = PurePosixPath(file.name.replace("\\", "/")).name  # a name, never a way through folders
    return Media("video" if said.message_type == "video" else "file", file.code, name=name)


def _context(said: Robot) -> str:
    session = Session(webhook=said.session_webhook or "", until=said.session_webhook_expired_time or 0)
    return session.model_dump_json() if session.webhook else ""


def session_of(context: str) -> Session:
    """What `context` says; an empty one where it says nothing."""
    return Session.model_validate_json(context) if context else Session()


def _evidence(said: Robot) -> Iterator[Evidence]:
    if said.sender_staff_id and said.sender_corp_id:
        yield Evidence("staff_id", f"{said.sender_corp_id}:{said.sender_staff_id}")
    if said.extensions.union_id:
        yield Evidence("dingtalk_union_id", said.extensions.union_id)


def raw_object(raw: bytes) -> object:
    """The JSON in a body. Raises Unreadable."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise Unreadable("the body is no JSON") from None
