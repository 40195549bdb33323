"""Files of the WeChat family are fetched by their media_id; what is wrong comes as JSON with status 200."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from channels.registry import load
from channels.simulators.cgi import Platform
from channels.simulators.wechat_kf import Service
from channels.simulators.wechat_oa import WeChat
from channels.simulators.wecom import WeCom
from config import Secret
from hub.channel import Channel
from hub.errors import Blocked, DeliveryError, Faulty, Impossible
from hub.message import Media
from tests.channels.callback import serving
from tests.fakes import fake_site

ID, SECRET, KEY = "ww1234567890abcdef", "the-secret", "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
PLATFORMS: dict[str, Callable[[], Platform]] = {
    "wechat_oa": lambda: WeChat(ID, SECRET),
    "wecom": lambda: WeCom(ID, SECRET, 1000002),
    "wechat_kf": lambda: Service(ID, SECRET),
}
KEYS: dict[str, dict[str, Any]] = {
    "wechat_oa": {"app_id": ID, "app_secret": Secret(SECRET)},
    "wecom": {"corp_id": ID, "agent_id": 1000002, "secret": Secret(SECRET)},
    "wechat_kf": {"corp_id": ID, "secret": Secret(SECRET)},
}
PDF = b"%PDF-1.7 \x00\xff"


@dataclass
class World:
    """One channel and its platform."""

    channel: Channel[Any]
    platform: Platform

    async def fetch(self, media_id: str = "m1") -> bytes:
        return await self.channel.fetch(Media("file", media_id))

    async def refused(self, media_id: str = "m1") -> DeliveryError:
        with pytest.raises(DeliveryError) as caught:
            await self.fetch(media_id)
        return caught.value


@pytest.fixture(params=PLATFORMS)
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        platform: Platform = await stack.enter_async_context(PLATFORMS[request.param]())
        http = await stack.enter_async_context(aiohttp.ClientSession())
        kind = load(request.param)
        common = {"token": Secret("a-token"), "encoding_aes_key": Secret(KEY), "api_base": platform.url}
        settings = kind.settings_type(**KEYS[request.param], **common, media_bytes=100)
        platform.media["m1"] = PDF
        yield World(kind(settings, fake_site(http)), platform)


async def test_a_file_is_fetched_as_it_was_sent(world: World) -> None:
    assert await world.fetch() == PDF


async def test_a_file_that_looks_like_an_error_is_still_a_file(world: World) -> None:
    world.platform.media["m1"] = b'{"errcode": 40007}'

    assert await world.fetch() == b'{"errcode": 40007}'


async def test_a_file_that_is_gone_is_impossible(world: World) -> None:
    assert isinstance(await world.refused("gone"), Impossible)
    assert isinstance(await world.refused(""), Impossible)


async def test_a_video_is_fetched_from_where_it_is_said_to_lie(world: World) -> None:
    async def serve(_: web.Request) -> web.Response:
        return web.Response(body=PDF)

    async with serving([web.get("/v.mp4", serve)]) as there:
        world.platform.videos["v1"] = f"{there}/v.mp4"
        world.channel._api._cgi._base = there  # type: ignore[attr-defined]  # as if the API had this host
        assert await world.fetch("v1") == PDF


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/meta-data", "http://evil.example/qq.com", "file:///etc/passwd"])
async def test_a_video_on_a_foreign_host_is_not_fetched(world: World, url: str) -> None:
    world.platform.videos["v1"] = url

    assert (await world.refused("v1")).code == "host"


async def test_a_video_of_tencent_is_fetched_over_tls(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    async def note(http: object, url: str, **bounds: object) -> bytes:
        asked.append(url)
        return PDF

    monkeypatch.setattr("channels.kit.cgi.download", note)
    world.platform.videos["v1"] = "http://vweixinp.tc.qq.com/1.mp4?vkey=x"

    assert (await world.fetch("v1"), asked) == (PDF, ["https://vweixinp.tc.qq.com/1.mp4?vkey=x"])


async def test_a_file_that_is_too_large_is_not_read(world: World) -> None:
    world.platform.media["m1"] = bytes(101)
    error = await world.refused()

    assert (type(error), error.code) == (Impossible, "too_large")


async def test_a_token_that_is_over_is_renewed_once_for_a_file_as_well(world: World) -> None:
    await world.fetch()
    world.platform.tokens.expire()

    assert await world.fetch() == PDF
    assert [call.errcode for call in world.platform.of("media/get")] == [0, 42001, 0]


async def test_a_refused_address_is_told_to_the_operator(world: World) -> None:
    code = 40164 if isinstance(world.platform, WeChat) else 60020
    world.platform.refuse("media/get", code, "not allow to access from your ip, from ip: 203.0.113.7")
    error = await world.refused()

    assert isinstance(error, Blocked)
    assert "203.0.113.7" in error.advice


async def test_no_file_where_nobody_listens_is_a_fault(world: World) -> None:
    await world.fetch()
    await world.platform.stop()

    assert isinstance(await world.refused(), Faulty)
