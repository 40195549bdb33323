"""A file is fetched as far as it may be: no redirect is followed, no body is larger or slower than allowed."""

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable

import aiohttp
import pytest
from aiohttp import web

from channels.kit.download import download
from hub.errors import Faulty, Impossible
from tests.channels.callback import serving

MOST = 100_000
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def fetched(http: aiohttp.ClientSession, serve: Serve, *, seconds: float = 20.0) -> bytes:
    """What comes of a file that is served like this."""
    async with serving([web.get("/file", serve)]) as url:
        return await download(http, f"{url}/file", most=MOST, seconds=seconds)


async def test_a_file_of_the_largest_size_is_fetched(http: aiohttp.ClientSession) -> None:
    async def whole(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * MOST)

    assert await fetched(http, whole) == b"x" * MOST


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_leads_nowhere(http: aiohttp.ClientSession, status: int) -> None:
    inside: list[str] = []

    async def secret(request: web.Request) -> web.Response:
        inside.append(request.path)
        return web.Response(text="credentials")

    async with serving([web.get("/meta-data", secret)]) as private:

        async def elsewhere(_: web.Request) -> web.Response:
            return web.Response(status=status, headers={"Location": f"{private}/meta-data"})

        with pytest.raises(Impossible):
            await fetched(http, elsewhere)
    assert inside == []


async def test_a_body_that_says_it_is_too_large_is_not_read(http: aiohttp.ClientSession) -> None:
    async def large(_: web.Request) -> web.Response:
        return web.Response(body=b"x" * (MOST + 1))

    with pytest.raises(Impossible, match=str(MOST)):
        await fetched(http, large)


async def test_a_body_without_an_end_is_left_once_it_is_too_large(http: aiohttp.ClientSession) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    with pytest.raises(Impossible):
        await fetched(http, endless)


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
async def test_a_body_that_swells_is_left_once_it_is_too_large(http: aiohttp.ClientSession, coding: str) -> None:
    swelling = b"\0" * (64 << 20)
    packed = gzip.compress(swelling) if coding == "gzip" else zlib.compress(swelling)
    assert len(packed) < MOST

    async def bomb(_: web.Request) -> web.Response:
        return web.Response(body=packed, headers={"Content-Encoding": coding})

    with pytest.raises((Impossible, Faulty)):
        await fetched(http, bomb)


async def test_a_body_that_trickles_is_left_when_its_time_is_over(http: aiohttp.ClientSession) -> None:
    gone = asyncio.Event()

    async def slow(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b"x")
                await asyncio.sleep(0.01)
        finally:
            gone.set()

    with pytest.raises(Faulty):
        await fetched(http, slow, seconds=0.3)
    async with asyncio.timeout(10):
        await gone.wait()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://127.0.0.1", "http://", "://", ""])
async def test_what_is_no_web_address_opens_nothing(http: aiohttp.ClientSession, url: str) -> None:
    with pytest.raises((Faulty, Impossible)):
        await download(http, url, most=MOST, seconds=5.0)
