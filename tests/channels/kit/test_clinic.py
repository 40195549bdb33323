"""What doctor finds out in the same way for several platforms."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import aiohttp
import pytest
from aiohttp import web

from channels.kit import clinic
from hub.errors import Blocked, Closed
from tests.channels.callback import serving

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def refuse(error: Exception) -> None:
    raise error


async def test_a_refusal_comes_with_its_advice() -> None:
    blocked = await clinic.attempt("secret", lambda: refuse(Blocked("40125", advice="copy it again")), "right")
    bare = await clinic.attempt("secret", lambda: refuse(Blocked("48004")), "right")
    other = await clinic.attempt("secret", lambda: refuse(Closed("no connection")), "right")

    assert [(f.ok, f.text) for f in (blocked, bare, other)] == [
        (False, "40125"),
        (False, "48004"),
        (False, "no connection"),
    ]
    assert (blocked.advice, bool(bare.advice), bool(other.advice)) == ("copy it again", True, True)


@pytest.mark.parametrize(("skew", "ok"), [(0, True), (59, True), (90, False), (-90, False)])
async def test_a_clock_is_held_against_that_of_the_platform(http: aiohttp.ClientSession, skew: int, ok: bool) -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(headers={"Date": format_datetime(NOW - timedelta(seconds=skew), usegmt=True)})

    async with serving([web.get("/", serve)]) as url:
        found = await clinic.clock(http, url, lambda: NOW)

    assert (found.ok, f"{skew:+.0f} s" in found.text) == (ok, not ok)


async def test_a_platform_that_says_no_time_is_no_fault(http: aiohttp.ClientSession) -> None:
    assert (await clinic.clock(http, "http://127.0.0.1:9", lambda: NOW)).ok


@pytest.mark.parametrize(
    ("status", "body", "setting", "ok"),
    [
        (200, "echo", "public_url", True),
        (200, "<html>", "public_url", False),
        (403, "", "token", False),
        (502, "", "public_url", False),
    ],
)
async def test_the_callback_is_tried_as_the_platform_tries_it(
    http: aiohttp.ClientSession, status: int, body: str, setting: str, ok: bool
) -> None:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body)

    async with serving([web.get("/channels/oa", serve)]) as url:
        found = await clinic.callback(http, url, "oa", {}, "echo")

    assert (found.setting, found.ok, bool(found.advice)) == (setting, ok, not ok)


async def test_without_a_public_url_the_advice_says_what_to_set(http: aiohttp.ClientSession) -> None:
    found = await clinic.callback(http, "", "oa", {}, "echo")

    assert (found.ok, "<public_url>/channels/oa" in found.advice) == (False, True)
