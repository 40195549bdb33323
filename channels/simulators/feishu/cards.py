"""The card entities of the simulated Feishu: their rules, and what they show.

https://open.feishu.cn/document/cardkit-v1/streaming-updates-openapi-overview
"""

import json
import re
import time
import uuid
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from channels.simulators.feishu.refusals import Refused

CARD_BYTES, TABLES, ELEMENTS, CHANGES = 30 * 1024, 5, 200, 10
MOST_SEQUENCE = 2**31 - 1
RULE = re.compile(r"^\s*\|?\s*:?-{2,}:?\s*(\|\s*:?-{2,}:?\s*)+\|?\s*$", re.MULTILINE)


@dataclass
class Card:
    """One entity. `steps` are the texts that were streamed, `message` the message that shows it."""

    content: dict[str, Any]
    sequence: int = 0
    steps: list[str] = field(default_factory=list)
    message: str = ""
    changes: deque[float] = field(default_factory=deque)

    @property
    def streaming(self) -> bool:
        """Whether it still says that it is being written."""
        return bool(self.content.get("config", {}).get("streaming_mode"))

    @property
    def text(self) -> str:
        """All that it shows."""
        return "\n".join(texts(self.content.get("body", {})))


class Cards:
    """Made, shown once, changed in order and not too often."""

    def __init__(self, *, limits: bool = True) -> None:
        self.cards: dict[str, Card] = {}
        self.broken: list[str] = []
        self.limits = limits

    def create(self, body: dict[str, Any]) -> dict[str, Any]:
        """POST cards."""
        if body.get("type") != "card_json":
            raise Refused(10002, "type")
        name = str(int(uuid.uuid4()))[:19]
        self.cards[name] = Card(checked(str(body.get("data"))))
        return {"card_id": name}

    def show(self, name: str, message: str) -> Card:
        """An entity is sent in one message only."""
        card = self.cards.get(name)
        if card is None:
            raise Refused(230099, "Failed to create card content, ext=ErrCode: 200740; ErrMsg: no such card")
        if card.message:
            raise Refused(230099, "Failed to create card content, ext=ErrCode: 200860; ErrMsg: card was sent before")
        card.message = message
        return card

    def update(self, name: str, body: dict[str, Any]) -> dict[str, Any]:
        """PUT cards/:id: all of it."""
        card = self._changed(name, body)
        card.content = checked(str((body.get("card") or {}).get("data")))
        return {}

    def settings(self, name: str, body: dict[str, Any]) -> Card:
        """PATCH cards/:id/settings."""
        card = self._changed(name, body)
        card.content.setdefault("config", {}).update(json.loads(str(body.get("settings"))).get("config", {}))
        return card

    def write(self, name: str, element: str, body: dict[str, Any]) -> dict[str, Any]:
        """PUT cards/:id/elements/:id/content: the whole text so far."""
        card = self._changed(name, body)
        if not card.streaming:
            raise Refused(300309, "Card streaming closed")
        content = json.loads(json.dumps(card.content))
        found = next((e for e in elements(content) if e.get("element_id") == element), None)
        if found is None or not body.get("content"):
            raise Refused(300313, "Failed to update element properties")
        found["content"] = str(body["content"])
        card.content = checked(json.dumps(content, ensure_ascii=False))
        card.steps.append(found["content"])
        return {}

    def _changed(self, name: str, body: dict[str, Any]) -> Card:
        """The card, after the rules of every change."""
        card = self.cards.get(name)
        if card is None:
            raise Refused(200740, "The card entity does not exist")
        now = time.monotonic()
        while card.changes and card.changes[0] < now - 1:
            card.changes.popleft()
        if self.limits and len(card.changes) >= CHANGES:
            self.broken.append("more than ten changes of a card in a second")
            raise Refused(99991400, "frequency", status=429, headers={"x-ogw-ratelimit-reset": "1"})
        card.changes.append(now)
        sequence = body.get("sequence")
        if not isinstance(sequence, int) or not card.sequence < sequence <= MOST_SEQUENCE:
            self.broken.append(f"sequence {sequence} after {card.sequence}")
            raise Refused(300317, "The sequence number for operating on the card did not increment consecutively")
        card.sequence = sequence
        return card


def checked(data: str) -> dict[str, Any]:
    """A card of JSON 2.0 within the limits."""
    try:
        card = json.loads(data)
    except ValueError:
        raise Refused(200220, "Failed to generate card content") from None
    if not isinstance(card, dict) or card.get("schema") != "2.0":
        raise Refused(300303, "Only schema 2.0 is supported")
    if card.get("config", {}).get("update_multi") is False:
        raise Refused(300302, "update_multi property is false")
    if len(data.encode()) > CARD_BYTES:
        raise Refused(200860, "Card content exceeds limit.")
    if sum(1 for _ in elements(card)) > ELEMENTS:
        raise Refused(300305, "The number of card components exceeds 200")
    if sum(len(RULE.findall(text)) for text in texts(card.get("body", {}))) > TABLES:
        raise Refused(230099, "Failed to create card content, ext=ErrCode: 11310; ErrMsg: card table number over limit")
    return card


def elements(node: object) -> Iterator[dict[str, Any]]:
    """Every element of a card."""
    if isinstance(node, dict):
        if "tag" in node:
            yield node
        for inner in node.values():
            yield from elements(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from elements(inner)


def texts(node: object) -> list[str]:
    """What people read of a card."""
    return [str(element["content"]) for element in elements(node) if isinstance(element.get("content"), str)]


def buttons(card: dict[str, Any]) -> list[dict[str, Any]]:
    """What each button of a card would send back."""
    found = [element for element in elements(card) if element["tag"] == "button"]
    return [button["behaviors"][0]["value"] for button in found]
