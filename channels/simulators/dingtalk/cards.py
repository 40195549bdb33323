"""The AI cards of the simulated DingTalk: their rules, and what they show."""

import asyncio
import json
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from channels.simulators.dingtalk.refusals import Refused

UNSHOWN = ("flowStatus", "sys_full_json_obj")
"""Variables that say how a card looks."""


@dataclass
class Card:
    """One card. `steps` are the texts that were streamed, `flow` the values of flowStatus in order."""

    chat: str
    params: dict[str, str]
    steps: list[str] = field(default_factory=list)
    flow: list[str] = field(default_factory=list)
    final: bool = False
    failed: bool = False
    busy: bool = False

    @property
    def text(self) -> str:
        """All that it shows as text."""
        return "\n".join(value for name, value in self.params.items() if value and name not in UNSHOWN)

    @property
    def buttons(self) -> list[dict[str, Any]]:
        """What can be pressed on it."""
        found: list[dict[str, Any]] = json.loads(self.params.get("sys_full_json_obj", "{}")).get("msgButtons", [])
        return [button for button in found if button.get("request") and button.get("id") and button.get("text")]


class Cards:
    """Made, changed one call at a time, and finalized once."""

    def __init__(self, templates: Collection[str], *, seconds: float) -> None:
        self.cards: dict[str, Card] = {}
        self.broken: list[str] = []
        self._templates = templates
        self._seconds = seconds

    def create(self, body: dict[str, Any], chats: dict[str, str]) -> dict[str, Any]:
        """createAndDeliver."""
        handle = str(body.get("outTrackId") or "")
        if body.get("cardTemplateId") not in self._templates or not handle:
            raise Refused(400, "param.error")
        if handle in self.cards:
            raise Refused(400, "param.outTrackIdExist")
        params = {str(k): str(v) for k, v in (body.get("cardData") or {}).get("cardParamMap", {}).items()}
        self.cards[handle] = Card("", params)
        kind, _, target = str(body.get("openSpaceId", "")).removeprefix("dtv1.card//").partition(".")
        needs = "imGroupOpenDeliverModel" if kind == "IM_GROUP" else "imRobotOpenDeliverModel"
        delivered = target in chats and bool(body.get(needs))
        self.cards[handle].chat = chats[target] if delivered else ""
        return {"success": True, "result": {"outTrackId": handle, "deliverResults": [{"success": delivered}]}}

    async def update(self, body: dict[str, Any]) -> dict[str, Any]:
        """PUT instances: sets variables."""
        card = await self._alone(body)
        params = (body.get("cardData") or {}).get("cardParamMap") or {}
        card.params.update({str(k): str(v) for k, v in params.items()})
        if "flowStatus" in params:
            card.flow.append(str(params["flowStatus"]))
        card.busy = False
        return {"success": True}

    async def stream(self, body: dict[str, Any]) -> dict[str, Any]:
        """PUT streaming: the whole text so far."""
        if not body.get("guid") or not body.get("key") or body.get("isFull") is not True:
            raise Refused(400, "param.error")
        card = await self._alone(body)
        card.busy = False
        if card.final:
            self.broken.append("streamed after isFinalize")
            raise Refused(400, "param.stream.finalized")
        card.params[body["key"]] = str(body.get("content", ""))
        card.steps.append(card.params[body["key"]])
        card.final, card.failed = bool(body.get("isFinalize")), bool(body.get("isError"))
        return {"success": True}

    async def _alone(self, body: dict[str, Any]) -> Card:
        """The card, taken for one change; a second one at the same time is refused."""
        card = self.cards.get(str(body.get("outTrackId")))
        if card is None:
            raise Refused(400, "param.outTrackIdNotExist")
        if card.busy:
            self.broken.append("two changes of one card at a time")
            raise Refused(403, "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi")
        card.busy = True
        await asyncio.sleep(self._seconds)
        return card
