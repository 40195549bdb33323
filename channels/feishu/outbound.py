"""Sends one message: as an answer to the message it belongs to, or into the chat where that is gone.

Every send has a uuid made from the message, so that it may be repeated: "the same uuid gives at most one message
within an hour" (https://open.feishu.cn/document/server-docs/im-v1/message/reply). A card that Feishu does not take for
its size or its tables is sent in a plainer form, in the end as a text (150 KB, no tables counted) with words to say in
place of its buttons.
"""

import hashlib
from collections.abc import Iterator, Mapping

import structlog

from channels.feishu import encode
from channels.feishu.openapi import OpenApi
from channels.feishu.payload import Place, chat_of, place_of
from channels.feishu.settings import Settings
from hub.channel import Site
from hub.errors import Impossible
from hub.fit import spoken
from hub.message import OutboundMessage, Receipt
from hub.texts import beside

log = structlog.get_logger()

GONE = frozenset({"230001", "230011", "230019", "230050", "230054", "230071", "230072", "230110", "230111"})
"""The message to answer was recalled or deleted, can't be seen or can't be answered (there): the chat still can."""
TOO_MUCH = frozenset({"230025", "230099", "200220", "200860", "300305", "11310"})
"""The card is too large, has too many tables or elements, or something in it that this card may not hold."""


class Outbound:
    """Sends the messages of one app."""

    def __init__(self, settings: Settings, site: Site, api: OpenApi) -> None:
        self._settings = settings
        self._site = site
        self._api = api

    async def send(self, message: OutboundMessage, *, key: str = "") -> Receipt:
        """Sends it in the fullest form that Feishu takes; `key` in place of its own uuid. Raises DeliveryError."""
        place, key = self.place(message), key or self.key(message)
        for card in self.cards(message):
            try:
                return Receipt(await self.post(place, "interactive", card, key))
            except Impossible as error:
                if error.code not in TOO_MUCH:
                    raise
                log.info("feishu card not taken", message=message.id, code=error.code)
        words = spoken(message.text, message.choices, beside(message.text))
        return Receipt(await self.post(place, "text", encode.words(words), key))

    def place(self, message: OutboundMessage) -> Place:
        """Where it goes."""
        place = place_of(message.context)
        return place if place.chat else Place(chat=chat_of(message.conversation))

    def key(self, message: OutboundMessage) -> str:
        """The uuid (at most 50 characters): the same at every try, another for everything else.

        The row alone would not do: a hub whose data were deleted begins its rows anew.
        """
        name = (message.conversation.id, message.reply_to, str(message.event), str(message.id), message.text)
        return hashlib.sha256("\n".join(name).encode("utf-8", "replace")).hexdigest()[:40]

    def cards(self, message: OutboundMessage) -> Iterator[str]:
        """The message as a card, the fullest form first; none that is too large."""
        thread = place_of(message.context).thread
        full = encode.markdown(message.text, tables=self._settings.card_tables)
        bare = encode.without_rules(encode.markdown(message.text, tables=0))
        for text in dict.fromkeys((full, bare)):
            card = encode.card(text, message.choices, said=message.conversation, thread=thread)
            if len(card.encode()) <= self._settings.card_bytes:
                yield card

    async def post(self, place: Place, kind: str, content: str, key: str) -> str:
        """One message; its id. Raises DeliveryError."""
        body = {"msg_type": kind, "content": content, "uuid": key}
        if place.message:
            try:
                return await self._call(f"/im/v1/messages/{place.message}/reply", place, body)
            except Impossible as error:
                if error.code not in GONE:
                    raise
                log.info("feishu message can't be answered where it stands", code=error.code)
        return await self._call("/im/v1/messages", place, {**body, "receive_id": place.chat})

    async def _call(self, path: str, place: Place, body: Mapping[str, object]) -> str:
        await self._api.slot(f"chat:{place.chat}", self._settings.chat_rate)
        if path.endswith("/reply"):
            found = await self._api.call("POST", path, {**body, "reply_in_thread": bool(place.thread)})
        else:
            found = await self._api.call("POST", path, body, query={"receive_id_type": "chat_id"})
        data = found.get("data")
        return str(data.get("message_id", "")) if isinstance(data, dict) else ""
