"""An AI card: an answer that grows in the conversation.

The card's id is made from the message it answers, so a turn that runs again after a crash finds its card. It
goes through created and delivered (one call) → inputing → streamed, the whole text each time → finalized →
finished. DingTalk refuses two changes of one card at a time, so each waits for the one before; what comes in
between is skipped, only the latest text counts.

https://open.dingtalk.com/document/orgapp/api-streamingupdate
"""

import asyncio
import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import structlog

from channels.dingtalk import encode
from channels.dingtalk.openapi import OpenApi
from channels.dingtalk.payload import OUTSIDER, group_of
from channels.dingtalk.settings import Settings
from channels.kit.pump import Pump
from hub.channel import Live, Site
from hub.errors import Blocked, DeliveryError, Faulty, Impossible
from hub.message import Conversation, InboundMessage, OutboundMessage, Receipt
from hub.texts import texts

log = structlog.get_logger()

INPUTING, FINISHED, FAILED = "2", "3", "5"
"""Values of the variable flowStatus in the templates for AI cards."""
PATIENCE = 5
"""Tries of one change that is refused for frequency: what a lost answer still keeps busy is over by then."""


class Cards:
    """Calls for the cards of one robot."""

    def __init__(self, settings: Settings, site: Site, api: OpenApi) -> None:
        self._settings = settings
        self._site = site
        self._api = api
        self._paused_until = site.clock()

    def open(self, message: InboundMessage) -> Live | None:
        """The card for the answer to this message; None where no card would reach the person."""
        if not self._settings.card_template_id or self._site.clock() < self._paused_until:
            return None
        if message.conversation.kind == "private" and message.sender.user.startswith(OUTSIDER):
            return None
        return card(self, message, interval=self._settings.card_interval)

    async def create(self, handle: str, message: InboundMessage) -> None:
        """Puts the card into the conversation; one that is there already stays as it is.

        Raises DeliveryError and NotStored. A refusal may leave a card that nobody sees, so it is noted: `finish`
        must not write the answer there, not even after a crash.
        """
        try:
            done = await self._patiently("POST", "/v1.0/card/instances/createAndDeliver", self._body(handle, message))
            delivered(done)
        except (Blocked, Impossible) as error:
            if "Exist" in error.code and "NotExist" not in error.code:
                return
            await self._site.record.keep_note(f"card {handle}", "refused")
            self._pause(error)
            raise

    def _pause(self, error: Blocked | Impossible) -> None:
        """Without the permission or the template no card is tried for a while."""
        if isinstance(error, Blocked):
            self._paused_until = self._site.clock() + timedelta(seconds=self._settings.card_pause)
            self._site.warn("cards", f"cards are refused ({error.code}): {error.advice}")

    def _body(self, handle: str, message: InboundMessage) -> dict[str, object]:
        settings = self._settings
        shown = {settings.card_content_key: ""}
        space = Space(message.conversation, message.sender.user, settings.robot)
        return instance(settings.card_template_id, handle, shown, space)

    async def status(self, handle: str, status: str, text: str) -> None:
        """Moves the card through its flow. Raises DeliveryError."""
        shown = {"flowStatus": status, self._settings.card_content_key: encode.markdown(text)}
        body = {"outTrackId": handle, "cardData": {"cardParamMap": shown}}
        await self._patiently("PUT", "/v1.0/card/instances", body)

    async def show(self, handle: str, text: str, *, last: bool = False, failed: bool = False) -> None:
        """Shows the whole text so far. Raises DeliveryError."""
        body = {
            "outTrackId": handle,
            "guid": str(uuid.uuid4()),
            "key": self._settings.card_content_key,
            "content": encode.markdown(text),
            "isFull": True,
            "isFinalize": last,
            "isError": failed,
        }
        await self._patiently("PUT", "/v1.0/card/streaming", body)

    async def finish(self, message: OutboundMessage) -> Receipt | None:
        """Brings the card to its final text; None where there is no card that takes it.

        Raises Faulty and Unknown: the card is there, and takes the text later.
        """
        handle = message.live
        if await self._site.record.note(f"card {handle}"):
            return None
        try:
            await self.show(handle, message.text, last=True)
        except (Blocked, Impossible) as error:
            if "NotExist" in error.code:
                return None
            if "inalize" not in error.code:  # final already: an earlier try arrived without our knowing
                log.warning("dingtalk card not finished", message=message.id, code=error.code)
                await self.leave(handle, failed=True)
                return None
        await self._settle(handle, FINISHED, message.text)
        return Receipt(handle)

    async def leave(self, handle: str, *, failed: bool = False) -> None:
        """Says that the answer comes as a message of its own, so that nobody waits for the card. Raises nothing."""
        words = texts("zh").below
        try:
            await self.show(handle, words, last=True, failed=failed)
        except DeliveryError:
            return  # there is no card, or it takes nothing
        await self._settle(handle, FAILED if failed else FINISHED, words)

    async def _settle(self, handle: str, status: str, text: str) -> None:
        """The last step changes how the card looks, not what it says; without it the text is there as well."""
        try:
            await self.status(handle, status, text)
        except DeliveryError as error:
            log.warning("dingtalk card left in its flow", code=error.code)

    async def _patiently(self, method: str, path: str, body: object) -> Mapping[str, Any]:
        for _ in range(PATIENCE - 1):
            try:
                return await self._api.call(method, path, body)
            except Faulty as error:
                if error.after is None:
                    raise
                await asyncio.sleep(self._settings.card_interval)
        return await self._api.call(method, path, body)


@dataclass(frozen=True, slots=True)
class Space:
    """Where a card is put: a group, or the chat of the robot with one person."""

    conversation: Conversation
    user: str
    robot: str


def instance(template: str, handle: str, shown: Mapping[str, str], space: Space) -> dict[str, object]:
    """The body that makes a card and puts it there; `shown` are the template's variables. Pure."""
    if space.conversation.kind == "group":
        name = f"IM_GROUP.{group_of(space.conversation)}"
        place: dict[str, object] = {"imGroupOpenDeliverModel": {"robotCode": space.robot}}
    else:
        name = f"IM_ROBOT.{space.user}"
        place = {"imRobotOpenDeliverModel": {"spaceType": "IM_ROBOT", "robotCode": space.robot}}
    return {
        "cardTemplateId": template,
        "outTrackId": handle,
        "callbackType": "STREAM",
        "cardData": {"cardParamMap": shown},
        "imGroupOpenSpaceModel": {"supportForward": True},
        "imRobotOpenSpaceModel": {"supportForward": True},
        "openSpaceId": f"dtv1.card//{name}",
        "userIdType": 1,
        **place,
    }


def delivered(done: Mapping[str, Any]) -> None:
    """Raises Impossible where the card was made and could not be put into the conversation."""
    result = done.get("result")
    results = result.get("deliverResults") if isinstance(result, Mapping) else None
    if isinstance(results, list) and any(isinstance(r, Mapping) and r.get("success") is False for r in results):
        raise Impossible("the card was not delivered", code="deliver")


def card(cards: Cards, message: InboundMessage, *, interval: float) -> Live:
    """The card that answers this message, not made before there is something to show."""
    name = f"{message.conversation.account}\n{message.key}"
    handle = hashlib.sha256(name.encode()).hexdigest()
    created = inputing = False

    async def show(text: str) -> None:
        nonlocal created, inputing
        if not created:
            await cards.create(handle, message)
            created = True
        if text and not inputing:
            await cards.status(handle, INPUTING, "")
            inputing = True
        if text:
            await cards.show(handle, text)

    return Pump(handle, show, interval=interval)
