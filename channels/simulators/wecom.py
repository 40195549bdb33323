"""WeCom as the hub of an application sees it: `python -m hub simulate wecom`, and what the tests play against.

Lines that are typed are pushed as messages of a member; what message/send brings is printed.
"""

import itertools
import re
import secrets
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import aiohttp

from channels.kit import xml
from channels.simulators import chat
from channels.simulators.cgi import OK, Answer, Call, Platform, Serve, Tokens, error, too_long
from channels.simulators.pushes import Account, Broken, push
from channels.wecom.settings import Settings
from config import Config
from hub.errors import ConfigError

Show = Callable[[str, str], None]


class Corporation(Platform):
    """qyapi.weixin.qq.com for one secret of one corporation; applications and customer service stand on it."""

    def __init__(
        self, corp_id: str, secret: str, paths: Mapping[str, Serve], *, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(Tokens(7200, clock), open_paths=("gettoken",), paths={"gettoken": self._gettoken, **paths})
        self.corp_id, self.secret, self.clock = corp_id, secret, clock

    def _gettoken(self, call: Call) -> Answer:
        if call.query.get("corpid") != self.corp_id:
            return error(40013, "invalid corpid")
        if call.query.get("corpsecret") != self.secret:
            return error(40001, "invalid credential")
        return {**OK, **self.tokens.give(fresh=False)}


class WeCom(Corporation):
    """One application and the members who see it. `gone` are those who can't be reached."""

    def __init__(
        self,
        corp_id: str,
        secret: str,
        agent_id: int,
        *,
        clock: Callable[[], float] = time.time,
        show: Show = lambda member, text: None,
    ) -> None:
        paths = {"message/send": self._send, "agent/get": self._agent, "user/get": self._member}
        super().__init__(corp_id, secret, paths, clock=clock)
        self.agent_id, self._show = agent_id, show
        self.gone: set[str] = set()
        self.members: dict[str, dict[str, str]] = {}
        """What the directory holds of a member: `mobile`, `email`, `biz_mail`."""
        self.sent: list[tuple[str, str]] = []
        """(member, text) of every message that arrived."""
        self.cards: list[dict[str, Any]] = []
        """Every card with buttons that arrived, as it was sent; `task_id` names it."""
        self._minutes: dict[str, deque[float]] = {}
        self._texts: dict[tuple[str, str], float] = {}

    def _member(self, call: Call) -> Answer:
        user = str(call.query.get("userid"))
        return {**OK, "userid": user, **self.members[user]} if user in self.members else error(60111, "no such member")

    def _send(self, call: Call) -> Answer:
        body, kind = call.body, str(call.body.get("msgtype"))
        if not body.get("touser") or body.get("agentid") != self.agent_id:
            return error(40056, "invalid agentid")
        content = body.get(kind) or {}
        text = self._card(content) if kind == "template_card" else content.get("content", "")
        if no := too_long(text if kind in ("text", "markdown", "template_card") else ""):
            return no
        member = str(body["touser"])
        if member in self.gone:
            return error(81013, "user & party & tag all invalid")
        self._arrive(member, text, body)
        return {**OK, "msgid": secrets.token_hex(8), "invaliduser": ""}

    def _card(self, card: Any) -> str:
        """What a card with buttons shows; "" for one that WeCom does not take."""
        buttons, title = card.get("button_list") or [], (card.get("main_title") or {}).get("title", "")
        named = all(button.get("text") and button.get("key") for button in buttons)
        task = re.fullmatch(r"[0-9A-Za-z_@-]{1,128}", str(card.get("task_id")))
        if card.get("card_type") != "button_interaction" or not (1 <= len(buttons) <= 6 and named and task and title):
            return ""
        self.cards.append(dict(card))
        return f"{title}\n{card.get('sub_title_text', '')}".strip()

    def _arrive(self, member: str, text: str, body: Any) -> None:
        """Beyond 30 a minute, and where a duplicate was asked to be dropped, nothing arrives and nobody is told."""
        now, minute = self.clock(), self._minutes.setdefault(member, deque())
        while minute and minute[0] <= now - 60:
            minute.popleft()
        again = body.get("enable_duplicate_check") and now - self._texts.get((member, text), -1e9) < body.get(
            "duplicate_check_interval", 1800
        )
        if len(minute) >= 30 or again:
            return
        minute.append(now)
        self._texts[member, text] = now
        self.sent.append((member, text))
        self._show(member, text)

    def _agent(self, call: Call) -> Answer:
        if call.query.get("agentid") != str(self.agent_id):
            return error(301002, "not allow operate another agent with this accesstoken")
        return {**OK, "agentid": self.agent_id, "name": "助手"}


_numbers = itertools.count(time.time_ns() // 1000)


def message(corp_id: str, member: str, kind: str = "text", *, at: int | None = None, **more: str) -> bytes:
    """The XML of one message or event."""
    fields = {
        "ToUserName": corp_id,
        "FromUserName": member,
        "CreateTime": str(int(time.time()) if at is None else at),
        "MsgType": kind,
        **more,
    }
    if kind != "event":
        fields.setdefault("MsgId", str(next(_numbers)))
    return xml.fields(fields)


def press(corp_id: str, member: str, card: Mapping[str, Any], number: int, *, at: int | None = None) -> bytes:
    """The event of a press on a card's button; the first is 1."""
    fields = {"Event": "template_card_event", "EventKey": str(card["button_list"][number - 1]["key"])}
    code = {"TaskId": str(card["task_id"]), "CardType": str(card["card_type"]), "ResponseCode": secrets.token_hex(16)}
    return message(corp_id, member, "event", at=at, **fields, **code)


def account(settings: Settings, url: str, *, clock: Callable[[], float] = time.time) -> Account:
    """WeCom's view of a channel with these settings at `url`."""
    return Account(url, settings.token.value, settings.encoding_aes_key.value, settings.corp_id, clock=clock)


async def play(config: Config, name: str) -> None:
    """A chat in the terminal, as a member of the corporation, until the input ends. Raises ConfigError."""
    settings = config.channels[name]
    if not isinstance(settings, Settings):
        raise ConfigError(f"channels.{name} is no wecom channel")
    wecom = WeCom(settings.corp_id, settings.secret.value, settings.agent_id, show=_shown)
    to = account(settings, chat.callback(config, name))
    await wecom.start(*chat.place(settings.api_base, name))
    chat.told(f"WeCom plays at {wecom.url} and pushes to {to.url}. Type a message, #1 presses a button; Ctrl-D ends.")
    try:
        async with aiohttp.ClientSession() as http:
            await chat.converse(partial(_say, http, to, wecom, "zhangsan"))
    finally:
        await wecom.stop()


async def _say(http: aiohttp.ClientSession, to: Account, wecom: WeCom, member: str, line: str) -> None:
    said = _typed(wecom, member, line)
    if said is None:
        chat.told("there is no such button")
        return
    try:
        pushed = await push(http, to, said, member)
    except Broken as broken:
        chat.told(f"the hub's answer can't be read ({broken})")
        return
    if pushed.text:
        chat.shown(pushed.text, by="in the answer")
    elif pushed.statuses[-1] != 200:
        chat.told(f"the hub did not take the message: {pushed.statuses}")


def _typed(wecom: WeCom, member: str, line: str) -> bytes | None:
    """What a line means: words, or "#1" the first button of the last card; None where there is no such button."""
    if not line.startswith("#"):
        return message(wecom.corp_id, member, Content=line)
    number = int(line[1:]) if line[1:].isdigit() else 0
    buttons = wecom.cards[-1]["button_list"] if wecom.cards else ()
    return press(wecom.corp_id, member, wecom.cards[-1], number) if 0 < number <= len(buttons) else None


def _shown(member: str, text: str) -> None:
    chat.shown(text, by="by message/send")
