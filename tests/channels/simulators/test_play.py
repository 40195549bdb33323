"""A person at the terminal: what is typed reaches the hub, what comes back is shown, whichever way it came."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from channels.registry import KINDS, load, section
from channels.simulators import chat, wechat_kf, wechat_oa, wecom
from config import Config
from config import load as read
from hub.channel import Channel
from hub.errors import ConfigError
from hub.message import InboundMessage
from tests.channels.callback import outbound, serving, until
from tests.fakes import FakeInbox, FakeTicket, fake_site

KEY = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
SEALED = 'encoding_aes_key = "env:PLAY_KEY"\n'
ACCOUNTS = {
    "wechat_oa": 'app_id = "wx1"\napp_secret = "env:PLAY_SECRET"\npush = true\nreply_pause = 0\ntyping_after = 0\n',
    "wecom": f'corp_id = "ww1"\nagent_id = 7\nsecret = "env:PLAY_SECRET"\n{SEALED}',
    "wechat_kf": f'corp_id = "ww1"\nsecret = "env:PLAY_SECRET"\n{SEALED}',
}


class Answering(FakeInbox):
    """Answers in the callback, and sends a second message, as soon as somebody asks."""

    def __init__(self) -> None:
        super().__init__()
        self.channel: Channel[Any] | None = None

    async def accept(self, message: InboundMessage) -> FakeTicket:
        ticket = await super().accept(message)
        assert self.channel
        site, user = self.channel.site, message.sender.user
        answer = outbound(site, message.conversation.account, user, f"答：{message.text}")
        ticket.answer.set_result(answer)
        await self.channel.send(replace(answer, text=f"又及：{message.text}"))
        return ticket


@pytest.fixture
def ports() -> list[int]:
    """Two ports that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return [one.getsockname()[1], other.getsockname()[1]]


@pytest.fixture(params=list(ACCOUNTS))
def config(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ports: list[int]) -> Config:
    """A hub with one channel whose platform is to be played."""
    monkeypatch.setenv("PLAY_SECRET", "a-secret")
    monkeypatch.setenv("PLAY_KEY", KEY)
    api, own = ports
    file = tmp_path / "hub.toml"
    file.write_text(
        f'[hub]\nport = {own}\n[channels.main]\nkind = "{request.param}"\napi_base = "http://127.0.0.1:{api}"\n'
        f'token = "env:PLAY_SECRET"\n{ACCOUNTS[request.param]}',
        encoding="utf-8",
    )
    return read(file, {kind: lambda kind=kind: section(kind) for kind in KINDS})  # type: ignore[misc]  # a closure


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Types one line, and ends the input once the screen shows what the test waits for."""
    read_so_far: list[str] = []

    def screen() -> str:
        read_so_far.append(capsys.readouterr().out)
        return "".join(read_so_far)

    def lines(wanted: str) -> None:
        async def given() -> AsyncIterator[str]:
            yield "几点开门"
            await until(lambda: wanted in screen())

        monkeypatch.setattr(chat, "_lines", given)

    return lines


PLAY = {"wechat_oa": wechat_oa.play, "wecom": wecom.play, "wechat_kf": wechat_kf.play}


async def test_what_the_hub_sends_is_shown(config: Config, typed: Callable[[str], None]) -> None:
    kind = config.channels["main"].kind
    typed("又及：几点开门")
    async with aiohttp.ClientSession() as http:
        inbox = Answering()
        channel = load(kind)(config.channels["main"], fake_site(http, "main", inbox=inbox))
        inbox.channel = channel
        async with serving(channel.routes(), port=config.hub.port):
            await asyncio.wait_for(PLAY[kind](config, "main"), 20)
        await channel.close()

    assert [message.text for message in inbox.messages] == ["几点开门"]


async def test_a_hub_that_is_away_is_reported(config: Config, typed: Callable[[str], None]) -> None:
    kind = config.channels["main"].kind
    words = {
        "wechat_oa": "该公众号提供的服务出现故障",
        "wecom": "did not take the message",
        "wechat_kf": "did not answer",
    }
    typed(words[kind])

    await asyncio.wait_for(PLAY[kind](config, "main"), 20)


async def test_a_channel_of_another_kind_is_refused(config: Config) -> None:
    others = [play for kind, play in PLAY.items() if kind != config.channels["main"].kind]
    for play in others:
        with pytest.raises(ConfigError):
            await play(config, "main")
