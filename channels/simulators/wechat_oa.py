"""WeChat as an Official Account's hub sees it: `python -m hub simulate wechat_oa`, and what the tests play against.

Lines that are typed are pushed as messages of a follower; what WeChat would show them is printed, whichever way it
came: in the HTTP answer, or by the customer-service API.
"""

import itertools
import secrets
import time
from collections.abc import Callable
from functools import partial

import aiohttp

from channels.kit import xml
from channels.simulators import chat
from channels.simulators.cgi import OK, Answer, Call, Platform, Tokens, Windows, error, too_long
from channels.simulators.pushes import Account, Broken, Pushed, push
from channels.wechat_oa.settings import Settings
from config import Config
from hub.errors import ConfigError


class WeChat(Platform):
    """api.weixin.qq.com for one account, and the people who follow it."""

    def __init__(
        self,
        app_id: str,
        app_secret: str,
        *,
        clock: Callable[[], float] = time.time,
        show: Callable[[str, str], None] = lambda openid, text: None,
    ) -> None:
        super().__init__(
            Tokens(7200, clock),
            open_paths=("stable_token",),
            paths={
                "stable_token": self._stable_token,
                "message/custom/send": self._custom_send,
                "message/custom/typing": self._typing,
                "user/info": self._user,
            },
        )
        self.app_id, self.app_secret, self._show = app_id, app_secret, show
        self.windows = Windows(172_800, 5, closed=45015, empty=45047, clock=clock)
        self.unionids: dict[str, str] = {}
        self.sent: list[tuple[str, str]] = []
        """(openid, text) of every customer-service message that was taken."""

    def _stable_token(self, call: Call) -> Answer:
        if call.body.get("appid") != self.app_id:
            return error(40013, "invalid appid")
        if call.body.get("secret") != self.app_secret:
            return error(40125, "invalid appsecret")
        return self.tokens.give(fresh=bool(call.body.get("force_refresh")))

    def _custom_send(self, call: Call) -> Answer:
        openid, text = str(call.body.get("touser", "")), (call.body.get("text") or {}).get("content", "")
        if no := too_long(text) or self.windows.spend(openid):
            return no
        self.sent.append((openid, text))
        self._show(openid, text)
        return dict(OK)

    def _typing(self, call: Call) -> Answer:
        if call.body.get("command") not in ("Typing", "CancelTyping"):
            return error(45072, "command field must be specified")
        return dict(OK) if call.body.get("touser") in self.windows.open else error(45080, "need interaction")

    def _user(self, call: Call) -> Answer:
        """Without errcode, as the real one; `unionid` only where there is one."""
        openid = call.query.get("openid", "")
        known = {"unionid": self.unionids[openid]} if openid in self.unionids else {}
        return {"subscribe": 1, "openid": openid, "language": "zh_CN", **known}


_numbers = itertools.count(time.time_ns() // 1000)


def message(openid: str, kind: str = "text", *, at: int | None = None, **more: str) -> bytes:
    """The XML of one message or event."""
    fields = {
        "ToUserName": "gh_000000000000",
        "FromUserName": openid,
        "CreateTime": str(int(time.time()) if at is None else at),
        "MsgType": kind,
        **more,
    }
    if kind != "event":
        fields.setdefault("MsgId", str(next(_numbers)))
    return xml.fields(fields)


def account(settings: Settings, url: str, *, clock: Callable[[], float] = time.time) -> Account:
    """WeChat's view of a channel with these settings at `url`."""
    return Account(
        url,
        settings.token.value,
        settings.encoding_aes_key.value if settings.encoding_aes_key else "",
        settings.app_id,
        weak=True,
        cut=settings.cut,
        tries=settings.tries,
        clock=clock,
    )


async def say(http: aiohttp.ClientSession, wechat: WeChat, to: Account, openid: str, text: str) -> Pushed:
    """A follower says something. Raises Broken."""
    wechat.windows.wrote(openid)
    return await push(http, to, message(openid, at=int(to.clock()), Content=text), openid)


async def play(config: Config, name: str) -> None:
    """A chat in the terminal, as a follower of the account, until the input ends. Raises ConfigError."""
    settings = config.channels[name]
    if not isinstance(settings, Settings):
        raise ConfigError(f"channels.{name} is no wechat_oa channel")
    wechat, openid = WeChat(settings.app_id, settings.app_secret.value, show=_shown), "o" + secrets.token_hex(13) + "A"
    to = account(settings, chat.callback(config, name))
    await wechat.start(*chat.place(settings.api_base, name))
    chat.told(f"WeChat plays at {wechat.url} and pushes to {to.url}. Type a message; Ctrl-D ends.")
    try:
        async with aiohttp.ClientSession() as http:
            await chat.converse(partial(_converse, http, wechat, to, openid))
    finally:
        await wechat.stop()


async def _converse(http: aiohttp.ClientSession, wechat: WeChat, to: Account, openid: str, line: str) -> None:
    try:
        pushed = await say(http, wechat, to, openid, line)
    except Broken as broken:
        chat.told(f"该公众号提供的服务出现故障，请稍后再试 ({broken})")
        return
    if pushed.text:
        chat.shown(pushed.text, by=f"in the answer to try {pushed.which}")
    elif pushed.statuses[-1] != 200:
        chat.told(f"该公众号提供的服务出现故障，请稍后再试 (the tries were answered with {pushed.statuses})")


def _shown(openid: str, text: str) -> None:
    chat.shown(text, by="by the customer-service API")
