"""One call of a platform's API, and how it may end."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from channels.kit.api import Outcome, request
from hub.errors import DeliveryError, Faulty, Unknown
from tests.channels.callback import serving

Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def called(http: aiohttp.ClientSession, serve: Serve, *, seconds: float = 5.0) -> Outcome:
    async with serving([web.post("/", serve)]) as url:
        return await request(http, "POST", url + "/", {"text": "你好"}, timeout=seconds)


async def refused(http: aiohttp.ClientSession, serve: Serve, *, seconds: float = 5.0) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await called(http, serve, seconds=seconds)
    return caught.value


async def test_an_answer_that_comes_in_pieces_is_read_to_its_end(http: aiohttp.ClientSession) -> None:
    async def serve(incoming: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(incoming)
        for piece in (b'{"list": "', b"x" * 200_000, b'"}'):
            await response.write(piece)
            await asyncio.sleep(0.02)
        return response

    assert len((await called(http, serve)).body["list"]) == 200_000


async def test_words_travel_in_utf_8(http: aiohttp.ClientSession) -> None:
    async def serve(incoming: web.Request) -> web.StreamResponse:
        return web.json_response({"raw": (await incoming.read()).decode()})

    assert (await called(http, serve)).body["raw"] == '{"text": "你好"}'


async def test_a_broken_server_and_one_that_is_too_busy_are_tried_again(http: aiohttp.ClientSession) -> None:
    async def serve(incoming: web.Request) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": "7"})

    error = await refused(http, serve)
    assert isinstance(error, Faulty)
    assert error.after == 7


async def test_silence_after_a_message_was_handed_over_is_unknown(http: aiohttp.ClientSession) -> None:
    async def serve(incoming: web.Request) -> web.StreamResponse:
        await asyncio.sleep(0.3)
        return web.Response()

    assert isinstance(await refused(http, serve, seconds=0.1), Unknown)


async def test_where_nobody_listens_nothing_was_handed_over(http: aiohttp.ClientSession) -> None:
    with pytest.raises(Faulty):
        await request(http, "POST", "http://127.0.0.1:9/", {})


async def test_a_redirect_is_not_followed(http: aiohttp.ClientSession) -> None:
    async def serve(incoming: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("http://127.0.0.1:9/")

    assert (await called(http, serve)).status == 302
