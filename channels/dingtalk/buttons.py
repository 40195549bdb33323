"""A question with choices as a card with buttons, and what a press on one says.

The card is DingTalk's own for Markdown with buttons, the one of MarkdownButtonCardInstance in dingtalk-stream; a press
comes over the stream connection as /v1.0/card/instances/callback. The card's id says in which conversation it was put:
a press can only name a card that is there, so nobody can speak in a conversation that they do not see.

https://open.dingtalk.com/document/orgapp/create-and-deliver-cards
"""

import base64
import binascii
import hashlib
import json

import structlog
from pydantic import Field, Json, ValidationError

from channels.dingtalk import encode
from channels.dingtalk.cards import Space, delivered, instance
from channels.dingtalk.openapi import OpenApi
from channels.dingtalk.payload import OUTSIDER, Shape, group_of
from channels.dingtalk.settings import Settings
from hub.channel import Site
from hub.errors import Blocked, Impossible, Unreadable
from hub.message import Action, Conversation, InboundMessage, OutboundMessage, Receipt
from hub.person import Evidence, Identity

log = structlog.get_logger()

PRIVATE, GROUP = "choice-p-", "choice-g-"
"""How the ids of our cards begin: in a chat with one person, in a group (whose id follows)."""


class Actions(Shape):
    """`cardPrivateData`: the ids of the buttons that were pressed."""

    ids: list[str] = Field(default=[], alias="actionIds")


class Content(Shape):
    """`content`, a JSON string."""

    data: Actions = Field(default=Actions(), alias="cardPrivateData")


class Press(Shape):
    """The callback of a card."""

    handle: str = Field(alias="outTrackId", min_length=1, max_length=1000)
    user: str = Field(alias="userId", min_length=1, max_length=512)
    corp: str = Field(default="", alias="corpId")
    content: Json[Content]


class Buttons:
    """The cards with buttons of one robot."""

    def __init__(self, settings: Settings, site: Site, api: OpenApi) -> None:
        self._settings = settings
        self._site = site
        self._api = api

    @property
    def offered(self) -> bool:
        """Whether there are any: without a stream connection a press would reach nobody."""
        return self._settings.transport == "stream" and bool(self._settings.buttons_template_id)

    async def send(self, message: OutboundMessage) -> Receipt | None:
        """Puts the card into the conversation; None where none is taken. Raises Faulty and Unknown."""
        private = message.conversation.kind == "private"
        if not self.offered or (private and message.recipient.user.startswith(OUTSIDER)):
            return None
        space = Space(message.conversation, message.recipient.user, self._settings.robot)
        body = instance(self._settings.buttons_template_id, handle_of(message), shown(message), space)
        try:
            delivered(await self._api.call("POST", "/v1.0/card/instances/createAndDeliver", body))
        except (Blocked, Impossible) as error:
            if "Exist" not in error.code or "NotExist" in error.code:  # an earlier try arrived
                log.info("dingtalk card with buttons not taken", message=message.id, code=error.code)
                return None
        return Receipt(handle_of(message))


def handle_of(message: OutboundMessage) -> str:
    """The card's id: the same at every try."""
    name = f"{message.conversation.id}\n{message.turn}\n{message.event}\n{message.text}"
    mark = hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:32]
    if message.conversation.kind == "private":
        return f"{PRIVATE}{mark}"
    return f"{GROUP}{base64.urlsafe_b64encode(group_of(message.conversation).encode()).decode()}.{mark}"


def shown(message: OutboundMessage) -> dict[str, str]:
    """The variables of the card."""
    buttons = [
        {"text": choice.label or choice.value, "color": "gray" if n else "blue", "id": choice.value, "request": True}
        for n, choice in enumerate(message.choices)
    ]
    whole = json.dumps({"msgButtons": buttons}, ensure_ascii=False)
    return {"markdown": encode.markdown(message.text), "tips": "", "sys_full_json_obj": whole}


def decode(data: object, settings: Settings, channel: str) -> InboundMessage | None:
    """What a press says; None where the card is none of ours. Pressed twice it is one choice. Raises Unreadable."""
    try:
        press = Press.model_validate(data)
    except ValidationError as error:
        raise Unreadable(f"not a press ({error.error_count()} faults)") from None
    place = _place(press, settings, channel)
    words = next((name for name in press.content.data.ids if name.strip()), "")
    if place is None or not words:
        return None
    once = hashlib.sha256(f"{press.handle}\n{press.user}\n{words}".encode("utf-8", "replace")).hexdigest()[:40]
    return InboundMessage(
        key=f"press:{once}",
        conversation=place,
        sender=Identity(channel, settings.robot, press.user),
        parts=(Action(words),),
        evidence=(Evidence("staff_id", f"{press.corp}:{press.user}"),) if press.corp else (),
    )


def _place(press: Press, settings: Settings, channel: str) -> Conversation | None:
    """The conversation that the card stands in."""
    if press.handle.startswith(PRIVATE):
        return Conversation(channel, settings.robot, press.user)
    if not press.handle.startswith(GROUP):
        return None
    try:
        name = press.handle.removeprefix(GROUP).partition(".")[0]
        group = base64.b64decode(name, altchars=b"-_", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    member = f"|{press.user}" if settings.group_context == "member" else ""
    return Conversation(channel, settings.robot, group + member, "group")
