"""Every platform at once, played by its simulator: what hub.toml says of it, what its people say, what they read."""

import asyncio
import json
import time
import uuid
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import ClassVar

import aiohttp
from aiohttp import web

from channels.kit import xml
from channels.simulators.dingtalk import Platform as DingTalk
from channels.simulators.feishu import Account as FeishuApp
from channels.simulators.feishu import Platform as Feishu
from channels.simulators.pushes import Account, post
from channels.simulators.wechat_kf import Service, entry
from channels.simulators.wechat_oa import WeChat
from channels.simulators.wechat_oa import message as oa_message
from channels.simulators.wecom import Corporation, WeCom
from channels.simulators.wecom import message as wecom_message
from channels.simulators.wecom_bot import Caller, text

APP, CORP, DESK = "wx1234567890abcdef", "ww1234567890abcdef", "wkDESK"
TOKEN, SECRET = "token-of-the-callback", "secret-of-the-account"
KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SEALED = '\ntoken = "env:BENCH_TOKEN"\nencoding_aes_key = "env:BENCH_KEY"'
POLL = 1.0
"""Seconds between two polls of a stream, as WeCom makes them."""

Read = Callable[[str, str], None]
"""Who read what."""


class Side(ABC):
    """One platform. `url` is the hub's callback, `read` is called for every message that a person reads."""

    kind: ClassVar[str]
    section: ClassVar[str]
    """Of hub.toml, after `kind` and `api_base`."""
    ordered: ClassVar[bool] = True
    """Answers come one below the other, so that their order can be seen."""

    def __init__(self, read: Read) -> None:
        self.read = read
        self.url = ""
        self.api = ""

    async def open(self, stack: AsyncExitStack) -> None:  # noqa: B027 — a page has no API
        """Listens from now on."""

    async def meet(self, http: aiohttp.ClientSession, stack: AsyncExitStack, people: list[str]) -> None:  # noqa: B027
        """The hub is there: whatever comes before the first message."""

    @abstractmethod
    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        """One message; the status that it was acknowledged with (0: it was not)."""


class OfficialAccount(Side):
    """Answers are pushed: half a second in the callback is all that they may take."""

    kind = "wechat_oa"
    section = f'app_id = "{APP}"\napp_secret = "env:BENCH_SECRET"\npush = true\nanswer_within = 0.5{SEALED}'

    async def open(self, stack: AsyncExitStack) -> None:
        self.wechat = await stack.enter_async_context(WeChat(APP, SECRET, show=self.read))
        self.api = self.wechat.url

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        account = Account(self.url, TOKEN, KEY, APP, weak=True)
        self.wechat.windows.wrote(person)
        tried = await post(http, account, *account.signed(oa_message(person, Content=words)))
        if in_time := account.read(tried.body, person) if tried.status == 200 else "":
            self.read(person, in_time)
        return tried.status


class Application(Side):
    """A WeCom application."""

    kind = "wecom"
    section = f'corp_id = "{CORP}"\nagent_id = 1000002\nsecret = "env:BENCH_SECRET"{SEALED}'

    async def open(self, stack: AsyncExitStack) -> None:
        self.wecom = WeCom(CORP, SECRET, 1000002, show=self.read)
        corporation: Corporation = self.wecom
        self.api = (await stack.enter_async_context(corporation)).url

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        account = Account(self.url, TOKEN, KEY, CORP)
        return (await post(http, account, *account.signed(wecom_message(CORP, person, Content=words)))).status


class CustomerService(Side):
    """A bell for every message; what nobody has asked for yet comes in one page, as it does from WeCom."""

    kind = "wechat_kf"
    section = f'corp_id = "{CORP}"\nsecret = "env:BENCH_SECRET"{SEALED}'

    async def open(self, stack: AsyncExitStack) -> None:
        self.service = Service(CORP, SECRET, show=self.read)
        self.api = (await stack.enter_async_context(self.service)).url

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        account = Account(self.url, TOKEN, KEY, CORP)
        said, pages = entry(DESK, person, words), self.service.pages[DESK]
        if self.service.handed[DESK] < len(pages):
            pages[-1].append(said)
            self.service.windows.wrote(f"{DESK} {person}")
        else:
            self.service.wait(DESK, [said])
        bell = {"ToUserName": CORP, "MsgType": "event", "Event": "kf_msg_or_event", "Token": "t", "OpenKfId": DESK}
        body = xml.fields({**bell, "CreateTime": str(int(time.time()))})
        return (await post(http, account, *account.signed(body))).status


class Bot(Side):
    """An AI bot of WeCom, whose streams are polled; each answer grows in the place of its own question."""

    kind, ordered = "wecom_bot", False
    section = SEALED

    async def open(self, stack: AsyncExitStack) -> None:
        self.polls: list[asyncio.Task[None]] = []
        stack.push_async_callback(_ended, self.polls)
        self.caller = Caller("", TOKEN, KEY)
        self.api = self.caller.base = await _serving(self.caller.app(), stack)

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        self.caller.url = self.url
        answered = await self.caller.call(http, text(words, user=person, response_url=self.caller.response_url()))
        if answered.status == 200:
            self.polls.append(asyncio.create_task(self._follow(http, person, answered.stream["id"])))
        return answered.status

    async def _follow(self, http: aiohttp.ClientSession, person: str, stream: str) -> None:
        state = {"finish": False}
        while not state["finish"]:
            await asyncio.sleep(POLL)
            with suppress(aiohttp.ClientError):  # WeCom asks again
                state = await self.caller.poll(http, stream, user=person)
        self.read(person, str(state.get("content", "")))


class Robot(Side):
    """A DingTalk robot with a callback."""

    kind = "dingtalk"
    section = 'transport = "webhook"\nclient_id = "dingrobot"\nclient_secret = "env:BENCH_SECRET"'

    async def open(self, stack: AsyncExitStack) -> None:
        self.platform = DingTalk("dingrobot", SECRET, show=lambda shown: self.read(shown.chat[3:-1], shown.text))
        self.api = self.platform.base = await _serving(self.platform.app(), stack)

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        return await self.platform.post(http, self.url, self.platform.message(words, user=person))


class App(Side):
    """A Feishu app. Without growing cards: those take four calls an answer, and the app has 50 a second."""

    kind = "feishu"
    section = (
        'app_id = "cli_app"\napp_secret = "env:BENCH_SECRET"\nstream = false\n'
        'verification_token = "env:BENCH_TOKEN"\nencrypt_key = "env:BENCH_KEY"'
    )

    async def open(self, stack: AsyncExitStack) -> None:
        account = FeishuApp("cli_app", SECRET, TOKEN, KEY)
        self.platform = Feishu(account, show=lambda shown: self.read(shown.chat.removeprefix("oc_"), shown.text))
        self.api = await _serving(self.platform.app(), stack)

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        event = self.platform.account.message(words, user=person)
        return (await self.platform.post(http, self.url, event))[0]


class Page(Side):
    """Visitors of a web page without WebSocket, each with its stream of events."""

    kind = "h5"
    section = "rate = 0\naddress_connections = 100000"

    async def meet(self, http: aiohttp.ClientSession, stack: AsyncExitStack, people: list[str]) -> None:
        self.tokens: dict[str, str] = {}
        self.met = asyncio.Semaphore(0)
        stack.push_async_callback(_ended, [asyncio.create_task(self._greet(http, person)) for person in people])
        for _ in people:
            await self.met.acquire()

    async def _greet(self, http: aiohttp.ClientSession, person: str) -> None:
        async with http.post(f"{self.url}/messages", json={"type": "hello"}) as response:
            token = (await response.json())["visitor"]
        headers = {"Authorization": f"Bearer {token}"}
        async with http.get(f"{self.url}/events", headers=headers, timeout=aiohttp.ClientTimeout()) as stream:
            self.tokens[person] = token
            self.met.release()
            async for line in stream.content:
                said = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if said.get("type") == "reply":
                    self.read(person, said["text"])

    async def say(self, http: aiohttp.ClientSession, person: str, words: str) -> int:
        headers = {"Authorization": f"Bearer {self.tokens[person]}"}
        said = {"type": "message", "id": uuid.uuid4().hex, "text": words}
        async with http.post(f"{self.url}/messages", json=said, headers=headers) as response:
            await response.read()
            return response.status


SIDES: tuple[type[Side], ...] = (OfficialAccount, Application, Bot, CustomerService, App, Robot, Page)


async def _serving(app: web.Application, stack: AsyncExitStack) -> str:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return f"http://127.0.0.1:{runner.addresses[0][1]}"


async def _ended(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    with suppress(Exception):
        await asyncio.gather(*tasks, return_exceptions=True)


async def acknowledged(said: Awaitable[int]) -> int:
    """The status of a message; 0 where the connection broke."""
    try:
        return await said
    except (aiohttp.ClientError, TimeoutError, OSError):
        return 0
