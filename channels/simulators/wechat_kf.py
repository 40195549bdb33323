"""WeCom's customer service as a hub sees it: `python -m hub simulate wechat_kf`, and what the tests play against.

Lines that are typed wait at a desk as messages of a customer, and the bell is rung; what send_msg brings is printed.
"""

import itertools
import secrets
import time
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import aiohttp

from channels.kit import xml
from channels.simulators import chat
from channels.simulators.cgi import OK, Answer, Call, Windows, error, too_long
from channels.simulators.pushes import Account, Pushed, push
from channels.simulators.wecom import Corporation, Show
from channels.wechat_kf.settings import Settings
from config import Config
from hub.errors import ConfigError

Entry = dict[str, Any]


class Service(Corporation):
    """The desks of one corporation and the customers in front of them."""

    def __init__(
        self,
        corp_id: str,
        secret: str,
        *,
        clock: Callable[[], float] = time.time,
        show: Show = lambda customer, text: None,
    ) -> None:
        paths = {
            "kf/sync_msg": self._sync,
            "kf/send_msg": self._send,
            "kf/send_msg_on_event": self._send_on_event,
            "kf/service_state/get": self._state,
            "kf/service_state/trans": self._move,
            "kf/customer/batchget": self._customers,
            "kf/account/list": lambda call: {**OK, "account_list": [{"open_kfid": d} for d in self.pages]},
        }
        super().__init__(corp_id, secret, paths, clock=clock)
        self._show = show
        self.windows = Windows(172_800, 5, closed=95002, empty=95001, clock=clock)
        self.pages: defaultdict[str, list[list[Entry]]] = defaultdict(list)
        """What sync_msg hands out, one page for each call."""
        self.handed: defaultdict[str, int] = defaultdict(int)
        """How many pages of a desk were asked for already."""
        self.states: dict[tuple[str, str], int] = {}
        self.unionids: dict[str, str] = {}
        self.codes: set[str] = set()
        """Codes for one message that are still good."""
        self.sent: list[tuple[str, str, str]] = []
        """(desk, customer, text) of every message that was taken; customer "" for those by a code."""
        self._ids: dict[str, str] = {}

    def wait(self, desk: str, *pages: list[Entry]) -> None:
        """Messages wait at a desk until somebody asks for them."""
        self.pages[desk] += pages
        for entry in itertools.chain(*pages):
            if entry.get("origin") == 3:
                self.windows.wrote(f"{desk} {entry['external_userid']}")

    def _sync(self, call: Call) -> Answer:
        """The cursor alone says how far the caller is."""
        pages, cursor = self.pages.get(str(call.body.get("open_kfid")), []), str(call.body.get("cursor") or "c0")
        if not cursor.removeprefix("c").isdigit():
            return error(95009, "invalid cursor")
        at = int(cursor.removeprefix("c"))
        after = min(at + 1, len(pages))
        page = pages[at] if at < len(pages) else []
        self.handed[str(call.body.get("open_kfid"))] = after
        return {**OK, "next_cursor": f"c{after}", "has_more": int(after < len(pages)), "msg_list": page}

    def _send(self, call: Call) -> Answer:
        """An id that was used before is answered as it was then, and nothing is shown."""
        desk, customer = str(call.body.get("open_kfid")), str(call.body.get("touser"))
        text, wanted = (call.body.get("text") or {}).get("content", ""), str(call.body.get("msgid") or "")
        if self.states.get((desk, customer), 0) not in (0, 1):
            return error(95018, "send msg session status invalid")
        if wanted and wanted in self._ids:
            return {**OK, "msgid": wanted}
        if no := too_long(text) or self.windows.spend(f"{desk} {customer}"):
            return no
        self._ids[wanted] = text
        self._arrive(desk, customer, text)
        return {**OK, "msgid": wanted or secrets.token_hex(8)}

    def _send_on_event(self, call: Call) -> Answer:
        code, text = str(call.body.get("code")), (call.body.get("text") or {}).get("content", "")
        if code not in self.codes:
            return error(95016, "invalid code")
        self.codes.discard(code)
        if no := too_long(text):
            return no
        self._arrive("", "", text)
        return {**OK, "msgid": secrets.token_hex(8)}

    def _arrive(self, desk: str, customer: str, text: str) -> None:
        self.sent.append((desk, customer, text))
        self._show(customer, text)

    def _state(self, call: Call) -> Answer:
        key = (str(call.body.get("open_kfid")), str(call.body.get("external_userid")))
        return {**OK, "service_state": self.states.get(key, 0), "servicer_userid": ""}

    def _move(self, call: Call) -> Answer:
        key = (str(call.body.get("open_kfid")), str(call.body.get("external_userid")))
        state = call.body.get("service_state")
        if state not in (1, 2, 3, 4) or self.states.get(key, 0) in (3, 4):
            return error(95016, "not allowed to change the state so")
        self.states[key] = state
        code = secrets.token_hex(8)
        self.codes.add(code)
        return {**OK, "msg_code": code}

    def _customers(self, call: Call) -> Answer:
        asked = call.body.get("external_userid_list") or []
        if not 0 < len(asked) <= 100:
            return error(40058, "invalid list")
        found = [{"external_userid": c, "nickname": "客户", "unionid": self.unionids.get(c, "")} for c in asked]
        return {**OK, "customer_list": found, "invalid_external_userid": []}


_numbers = itertools.count(1)


def entry(desk: str, customer: str, text: str = "", *, at: int | None = None, **changed: Any) -> Entry:
    """One entry of sync_msg: a text of a customer, or what the changes make of it."""
    return {
        "msgid": f"m{next(_numbers)}_{secrets.token_hex(4)}",
        "open_kfid": desk,
        "external_userid": customer,
        "send_time": int(time.time()) if at is None else at,
        "origin": 3,
        "msgtype": "text",
        "text": {"content": text},
    } | changed


def event(kind: str, *, at: int | None = None, **more: Any) -> Entry:
    """One event of sync_msg; who and where stand inside it."""
    return {
        "msgid": f"e{next(_numbers)}_{secrets.token_hex(4)}",
        "send_time": int(time.time()) if at is None else at,
        "origin": 4,
        "msgtype": "event",
        "event": {"event_type": kind, **more},
    }


def account(settings: Settings, url: str, *, clock: Callable[[], float] = time.time) -> Account:
    """WeCom's view of a channel with these settings at `url`."""
    return Account(url, settings.token.value, settings.encoding_aes_key.value, settings.corp_id, clock=clock)


async def ring(http: aiohttp.ClientSession, to: Account, desk: str) -> Pushed:
    """The bell of a desk: it has no MsgId and no sender."""
    bell = {
        "ToUserName": to.receive_id,
        "CreateTime": str(int(to.clock())),
        "MsgType": "event",
        "Event": "kf_msg_or_event",
        "Token": secrets.token_hex(8),
        "OpenKfId": desk,
    }
    return await push(http, to, xml.fields(bell), "")


async def play(config: Config, name: str) -> None:
    """A chat in the terminal, as a customer at a desk, until the input ends. Raises ConfigError."""
    settings = config.channels[name]
    if not isinstance(settings, Settings):
        raise ConfigError(f"channels.{name} is no wechat_kf channel")
    service = Service(settings.corp_id, settings.secret.value, show=_shown)
    to = account(settings, chat.callback(config, name))
    await service.start(*chat.place(settings.api_base, name))
    chat.told(f"Customer service plays at {service.url} and rings at {to.url}. Type a message; Ctrl-D ends.")
    desk, customer = f"wk{secrets.token_hex(10)}", f"wm{secrets.token_hex(10)}"
    try:
        async with aiohttp.ClientSession() as http:
            await chat.converse(partial(_say, http, service, to, desk, customer))
    finally:
        await service.stop()


async def _say(http: aiohttp.ClientSession, service: Service, to: Account, desk: str, customer: str, line: str) -> None:
    service.wait(desk, [entry(desk, customer, line)])
    pushed = await ring(http, to, desk)
    if pushed.statuses[-1] != 200:
        chat.told(f"the hub did not answer the bell: {pushed.statuses}")


def _shown(customer: str, text: str) -> None:
    chat.shown(text, by="by send_msg" if customer else "by send_msg_on_event")
