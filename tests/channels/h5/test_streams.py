"""The same protocol by POST and server-sent events, and who may use it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from hub.message import Reply
from tests.channels.callback import until
from tests.channels.h5.desk import ORIGIN, site
from tests.channels.h5.page import first, posted, posting, socket, streamed

HELLO = {"type": "hello", "visitor": "", "identity": "", "last_event": 0}


async def greeted(base: str) -> str:
    """A new visitor's token."""
    async with posting() as http:
        return str((await posted(http, base, HELLO))[1]["visitor"])


@asynccontextmanager
async def events(base: str, **headers: str) -> AsyncIterator[tuple[aiohttp.ClientSession, aiohttp.ClientResponse]]:
    """The open stream of a new visitor, and what sends in their name."""
    async with posting(token=await greeted(base)) as http, http.get(f"{base}/events", headers=headers) as stream:
        yield http, stream


async def test_posts_and_events_say_what_the_websocket_says() -> None:
    async with site() as (_, base):
        token = await greeted(base)
        async with posting(token=token) as http, http.get(f"{base}/events") as stream:
            status, accepted = await posted(http, base, {"type": "message", "id": "m1", "text": "一起"})
            told = await first(streamed(stream), 2)
        async with socket(base) as page:
            await page.hello(token)
            await page.next("reply")

    assert status == 200
    assert stream.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert [number for number, _ in told] == ["1", "2"]
    assert [event for _, event in told] == page.events[1:]
    assert told[0][1] == accepted


async def test_the_last_event_id_resumes() -> None:
    async with site() as (_, base):
        token = await greeted(base)
        async with posting(token=token) as http:
            for name in ("m1", "m2"):
                await posted(http, base, {"type": "message", "id": name, "text": name})
            async with http.get(f"{base}/events", headers={"Last-Event-ID": "3"}) as stream:
                ((number, event),) = await first(streamed(stream), 1)

    assert (number, event["type"]) == ("4", "reply")


async def test_deltas_come_without_an_id() -> None:
    async with site() as (desk, base):
        token = await greeted(base)
        desk.answers["慢"] = ["甲", "乙"]
        async with posting(token=token) as http, http.get(f"{base}/events") as stream:
            await posted(http, base, {"type": "message", "id": "m1", "text": "慢"})
            told = await first(streamed(stream), 4)

    assert [(number, event["type"]) for number, event in told] == [
        ("1", "accepted"),
        ("", "delta"),
        ("", "delta"),
        ("2", "reply"),
    ]


async def test_the_same_id_is_the_same_message() -> None:
    async with site() as (desk, base), posting(token=await greeted(base)) as http:
        answers = [await posted(http, base, {"type": "message", "id": "m1", "text": "一"}) for _ in range(2)]

    assert answers[0] == answers[1]
    assert len(desk.said) == 1


async def test_a_silent_stream_shows_signs_of_life() -> None:
    async with site(heartbeat=0.02) as (_, base), events(base) as (_, stream):
        assert [await stream.content.readline() for _ in range(4)] == [b":\n", b"\n", b":\n", b"\n"]


@pytest.mark.parametrize("token", ["", "made-up", "v.made.up", "s.made.up"])
async def test_a_token_that_the_hub_never_gave_out_is_refused(token: str) -> None:
    async with site() as (desk, base), posting(token=token) as http:
        status, told = await posted(http, base, {"type": "message", "id": "x", "text": "hi"})
        async with http.get(f"{base}/events") as stream:
            pass

    assert (status, told["code"], stream.status) == (401, "unknown_visitor", 401)
    assert desk.said == []


async def test_a_token_in_the_address_opens_nothing() -> None:
    async with site() as (_, base), posting() as http:
        token = await greeted(base)
        async with http.get(f"{base}/events?visitor={token}&token={token}&access_token={token}") as stream:
            assert stream.status == 401


@pytest.mark.parametrize("number", ["-1", "x", "1e9", "٣", "9" * 17])
async def test_a_last_event_id_that_is_no_number_is_refused(number: str) -> None:
    async with site() as (_, base), events(base, **{"Last-Event-ID": number}) as (_, stream):
        assert stream.status == 400


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{oops", 400),
        (b"[1]", 400),
        (b"\xff\xfe", 400),
        (b"type=hello", 400),
        (b"", 400),
        (b"[" * 20_000 + b"]" * 20_000, 400),
        (b'"' + b"a" * 70_000 + b'"', 413),
    ],
)
async def test_a_body_that_can_not_be_read_is_a_4xx(body: bytes, status: int) -> None:
    async with site() as (_, base), posting() as http, http.post(f"{base}/messages", data=body) as response:
        assert response.status == status
        assert (await response.json())["type"] == "error"


async def test_what_can_not_be_stored_is_a_503() -> None:
    async with site() as (desk, base), posting(token=await greeted(base)) as http:
        desk.broken = True
        async with http.post(f"{base}/messages", json={"type": "message", "id": "m", "text": "x"}) as response:
            told = await response.json()

    assert (response.status, told["code"], told["id"]) == (503, "not_stored", "m")
    assert int(response.headers["Retry-After"]) > 0


async def test_who_posts_too_fast_is_told_when_to_go_on() -> None:
    async with site(rate=1) as (_, base), posting(token=await greeted(base)) as http:
        await posted(http, base, {"type": "message", "id": "m1", "text": "x"})
        async with http.post(f"{base}/messages", json={"type": "message", "id": "m2", "text": "x"}) as response:
            told = await response.json()

    assert (response.status, told["code"]) == (429, "rate_limited")
    assert told["seconds"] <= int(response.headers["Retry-After"]) <= 62


async def test_a_ping_is_answered() -> None:
    async with site() as (_, base), posting() as http:
        assert await posted(http, base, {"type": "ping"}) == (200, {"type": "pong"})


async def test_a_journal_that_can_not_be_read_ends_the_stream_so_that_the_page_comes_again() -> None:
    async with site(heartbeat=0.05) as (desk, base), events(base) as (http, stream):
        desk.broken = True
        ((_, told),) = await first(streamed(stream), 1)
        async with http.get(f"{base}/events", headers={"Last-Event-ID": "1"}) as again:
            pass

    assert told["code"] == "not_stored"
    assert again.status == 503


async def test_a_client_that_does_not_read_its_stream_is_dropped() -> None:
    async with site(slow=0.2) as (desk, base), events(base) as (http, stream):
        await posted(http, base, {"type": "message", "id": "m1", "text": "x"})
        assert stream.connection
        assert isinstance(stream.connection.transport, asyncio.Transport)
        stream.connection.transport.pause_reading()
        for _ in range(60):
            await desk.say(desk.said[0].conversation, Reply("长" * 100_000))
        await until(lambda: not len(desk.channel._visits.connections))

        assert desk.said


async def test_a_stopping_hub_ends_its_streams() -> None:
    async with site() as (desk, base), events(base) as (_, stream):
        await desk.channel.close()
        async with asyncio.timeout(20):
            await stream.content.read()

        assert stream.content.at_eof()


# -- origins

FOREIGN = [
    "https://evil.example",
    "https://shop.example.evil.example",
    "http://shop.example",
    "https://shop.example:8443",
    "null",
    "",
    "https://SHOP.example.",
    "https://a.shop.example",
    f"{ORIGIN}/",
    f"{ORIGIN}, https://evil.example",
]


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_origin_gets_nothing_through(origin: str) -> None:
    async with site() as (desk, base):
        token = await greeted(base)
        async with posting(origin=None, token=token, Origin=origin) as http:
            status, told = await posted(http, base, {"type": "message", "id": "o", "text": "hi"})
            async with http.get(f"{base}/events") as stream:
                pass
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                async with http.ws_connect(f"{base}/ws"):
                    pass

    assert (status, told["code"], stream.status, refused.value.status) == (403, "origin_refused", 403, 403)
    assert "Access-Control-Allow-Origin" not in stream.headers
    assert desk.said == []


async def test_a_client_without_origin_is_no_browser_and_allowed() -> None:
    async with site() as (_, base), socket(base, origin=None) as page:
        assert (await page.hello())["type"] == "welcome"


async def test_the_hub_s_own_address_is_an_allowed_origin() -> None:
    async with site(public_url="https://Hub.example:443/x") as (_, base), socket(base, "https://hub.example") as page:
        assert (await page.hello())["type"] == "welcome"


@pytest.mark.parametrize("path", ["messages", "events"])
@pytest.mark.parametrize(("origin", "status", "allowed"), [(ORIGIN, 204, ORIGIN), ("https://evil.example", 403, None)])
async def test_a_preflight_passes_for_allowed_origins_alone(
    path: str, origin: str, status: int, allowed: str | None
) -> None:
    async with site() as (_, base), posting(origin=origin) as http, http.options(f"{base}/{path}") as response:
        headers = response.headers

    assert (response.status, headers.get("Access-Control-Allow-Origin")) == (status, allowed)
    if allowed:
        assert headers["Access-Control-Allow-Headers"] == "authorization, content-type, last-event-id"
    assert headers["Vary"] == "Origin"


async def test_answers_and_refusals_may_be_read_by_the_page_that_asked() -> None:
    async with site() as (_, base), posting() as http:
        for said in (HELLO, {"type": "message", "id": "x", "text": "hi"}):
            async with http.post(f"{base}/messages", json=said) as response:
                assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
                assert "Access-Control-Allow-Credentials" not in response.headers


async def test_behind_a_proxy_of_ours_the_address_is_the_visitor_s() -> None:
    async with site(rate=1, address_rate=1, proxies=("127.0.0.0/8",)) as (_, base):
        told = []
        for address in ("203.0.113.7", "203.0.113.8", "198.51.100.1, 203.0.113.7", "2001:db8::1", "2001:db8::2"):
            async with posting(token=await greeted(base), **{"X-Forwarded-For": address}) as http:
                told.append((await posted(http, base, {"type": "message", "id": "m", "text": "x"}))[0])

    assert told == [200, 200, 429, 200, 429]


async def test_an_address_that_is_none_is_passed_over() -> None:
    async with site(rate=1, address_rate=1, proxies=("127.0.0.0/8",)) as (_, base):
        told = []
        for address in ("203.0.113.7", "203.0.113.9, nonsense"):
            async with posting(token=await greeted(base), **{"X-Forwarded-For": address}) as http:
                told.append((await posted(http, base, {"type": "message", "id": "m", "text": "x"}))[0])

    assert told == [200, 200]


async def test_nobody_else_s_word_for_an_address_counts() -> None:
    async with site(rate=1, address_rate=1) as (_, base):
        told = []
        for address in ("203.0.113.7", "203.0.113.8"):
            async with posting(token=await greeted(base), **{"X-Forwarded-For": address}) as http:
                told.append((await posted(http, base, {"type": "message", "id": "m", "text": "x"}))[0])

    assert told == [200, 429]


async def test_streams_of_a_visitor_are_bounded() -> None:
    async with site(visitor_connections=1) as (_, base), events(base) as (http, one), http.get(f"{base}/events") as two:
        assert (one.status, two.status) == (200, 429)


async def test_what_was_told_before_the_stream_opened_comes_first() -> None:
    async with site() as (desk, base):
        token = await greeted(base)
        async with posting(token=token) as http:
            await posted(http, base, {"type": "message", "id": "m1", "text": "x"})
            await desk.say(desk.said[0].conversation, Reply("还有"))
            async with http.get(f"{base}/events") as stream:
                told = await first(streamed(stream), 3)

    assert [event["event"] for _, event in told] == [1, 2, 3]
