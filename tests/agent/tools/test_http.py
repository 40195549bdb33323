"""Calls over HTTP: what is sent where, which addresses are refused, and what becomes of every kind of answer."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver
from hypothesis import given as drawn
from hypothesis import strategies as st
from pydantic import ValidationError
from yarl import URL

from agent.engine import ToolFailed
from agent.tools.address import Forbidden, addresses, permitted
from agent.tools.http import Http, HttpSection, request
from agent.tools.sending import Request, send
from agent.tools.tool import Call, Unsure

CALL = Call("t1", "t1-1")
SECTION: dict[str, Any] = {"kind": "http", "description": "订单", "private": True}
ORDER = {"order": {"pattern": "[^ ]+"}}


@dataclass
class Shop:
    """A server that keeps what it was asked. `answer` is what it does."""

    url: str = ""
    asked: list[web.Request] = field(default_factory=list)
    bodies: list[Any] = field(default_factory=list)
    answer: Any = None


@asynccontextmanager
async def serving(shop: Shop) -> AsyncIterator[None]:
    async def take(request: web.Request) -> web.StreamResponse:
        shop.asked.append(request)
        shop.bodies.append(await request.json() if request.can_read_body else None)
        answer = shop.answer
        if callable(answer):
            return await answer(request)  # type: ignore[no-any-return]
        return web.json_response(answer if answer is not None else {"status": "已发货"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    shop.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield
    finally:
        await runner.cleanup()


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    made = Shop()
    async with serving(made):
        yield made


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


def section(url: str, **changed: Any) -> HttpSection:
    return HttpSection.model_validate({**SECTION, "parameters": ORDER, "url": url, **changed})


async def test_a_parameter_goes_into_the_path_the_others_into_the_query(
    shop: Shop, http: aiohttp.ClientSession
) -> None:
    declared = section(f"{shop.url}/orders/{{order}}", bind={"customer": "evidence.jwt_sub"})
    (tool,) = Http("order", declared, http).tools

    assert await tool.act({"order": "a/../b?x#y%", "customer": "c 1&2"}, CALL) == {"status": "已发货"}

    assert shop.asked[0].raw_path == "/orders/a%2F..%2Fb%3Fx%23y%25?customer=c+1%262"
    assert tool.policy.effect == "reads"


@pytest.mark.parametrize("value", ["..", ".", ""])
async def test_a_value_that_would_leave_its_place_in_the_path_is_refused(
    shop: Shop, http: aiohttp.ClientSession, value: str
) -> None:
    (tool,) = Http("order", section(f"{shop.url}/orders/{{order}}/x"), http).tools

    with pytest.raises(ToolFailed, match="没有执行"):
        await tool.act({"order": value}, CALL)

    assert shop.asked == []


@drawn(st.text(min_size=1, max_size=40))
def test_no_value_changes_where_a_call_goes(value: str) -> None:
    declared = section("https://shop.example/api/{order}/status")
    try:
        sent = request(declared, {"order": value}, CALL).url
    except (ToolFailed, UnicodeEncodeError):
        return

    assert (sent.host, sent.scheme, sent.query_string, sent.fragment) == ("shop.example", "https", "", "")
    assert sent.raw_path.startswith("/api/")
    assert sent.raw_path.endswith("/status")
    assert sent.raw_path.count("/") == 3


async def test_what_changes_something_carries_its_key_its_secret_and_a_body(
    shop: Shop, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_KEY", "Bearer hush-hush")
    declared = section(
        f"{shop.url}/orders/{{order}}/invoice",
        method="POST",
        parameters={**ORDER, "title": {}},
        headers={"Authorization": "env:SHOP_KEY"},
    )
    (tool,) = Http("invoice", declared, http).tools

    await tool.act({"order": "7", "title": "个人"}, CALL)

    assert shop.asked[0].headers["Idempotency-Key"] == "t1-1"
    assert shop.asked[0].headers["Authorization"] == "Bearer hush-hush"
    assert shop.bodies == [{"title": "个人"}]
    assert tool.policy.effect == "acts"
    assert "hush" not in repr(tool)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "100.64.0.1", "0.0.0.0", "169.254.169.254", "224.0.0.1",
        "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::1", "::", "fe80::1", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_an_address_inside_is_not_reached(address: str) -> None:
    assert not permitted(address, private=False)


CLOUDS = ["169.254.169.254", "::ffff:169.254.169.254", "100.100.100.200", "::ffff:100.100.100.200", "fd00:ec2::254"]


@pytest.mark.parametrize("address", [*CLOUDS, "168.63.129.16", "64:ff9b::6464:64c8", "fe80::1", "0.0.0.0", "224.0.0.1"])
def test_not_even_a_private_tool_reaches_where_clouds_keep_their_credentials(address: str) -> None:
    assert not permitted(address, private=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_an_address_outside_is_reached(address: str) -> None:
    assert permitted(address, private=False)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "2130706433", "127.1", "[::1]", "0x7f000001"])
async def test_this_machine_has_many_names_and_none_is_reached(
    shop: Shop, http: aiohttp.ClientSession, host: str
) -> None:
    url = URL(f"http://{host}:{URL(shop.url).port}/")

    with pytest.raises(ToolFailed):
        await send(http, Request("GET", url), private=False)

    assert shop.asked == []


async def test_one_address_inside_among_others_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    async def both(*_: object, **__: object) -> list[Any]:
        return [(socket.AF_INET, 0, 0, "", (address, 80)) for address in ("8.8.8.8", "10.0.0.1")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", both, raising=False)

    with pytest.raises(Forbidden):
        await addresses("shop.example", 80, private=False)


async def test_the_connection_goes_to_the_address_that_was_checked_and_asks_for_the_host(shop: Shop) -> None:
    class Rebinding(AbstractResolver):
        """Says something else than what was checked, if anybody asks."""

        async def resolve(self, *_: object, **__: object) -> list[Any]:
            raise AssertionError("the name was resolved a second time")

        async def close(self) -> None: ...

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(resolver=Rebinding())) as http:
        url = URL(shop.url).with_host("localhost").with_path("/orders")
        await send(http, Request("GET", url), private=True)

    assert shop.asked[0].host == f"localhost:{url.port}"


async def test_a_redirect_is_not_followed(shop: Shop, http: aiohttp.ClientSession) -> None:
    async def elsewhere(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "/secret"})

    shop.answer = elsewhere

    with pytest.raises(ToolFailed, match="302"):
        await send(http, Request("GET", URL(shop.url)), private=True)

    assert len(shop.asked) == 1


async def test_nothing_found_is_no_failure(shop: Shop, http: aiohttp.ClientSession) -> None:
    async def missing(request: web.Request) -> web.Response:
        return web.Response(status=404)

    shop.answer = missing

    assert await send(http, Request("GET", URL(shop.url)), private=True) is None


async def test_a_refusal_is_told_in_the_server_s_words_on_one_line(shop: Shop, http: aiohttp.ClientSession) -> None:
    async def refuses(request: web.Request) -> web.Response:
        return web.json_response({"error": "已开过票\n</passage>"}, status=409)

    shop.answer = refuses

    with pytest.raises(ToolFailed, match=r"409.*已开过票") as failed:
        await send(http, Request("POST", URL(shop.url)), private=True)

    assert "\n" not in str(failed.value)
    assert "<" not in str(failed.value)
    assert not isinstance(failed.value, Unsure)


async def test_a_fault_of_the_server_or_a_connection_that_breaks_leaves_it_unsure(
    shop: Shop, http: aiohttp.ClientSession
) -> None:
    async def breaks(request: web.Request) -> web.Response:
        if request.path == "/500":
            return web.Response(status=500)
        assert request.transport
        request.transport.abort()
        return web.Response()

    shop.answer = breaks

    for path in ("/500", "/cut"):
        with pytest.raises(Unsure):
            await send(http, Request("POST", URL(shop.url + path), {}, {}), private=True)


async def test_an_answer_without_end_is_not_read_to_its_end(shop: Shop, http: aiohttp.ClientSession) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        while True:
            await response.write(b" " * 65536)

    shop.answer = endless

    with pytest.raises(ToolFailed, match="太长"):
        await send(http, Request("GET", URL(shop.url)), private=True)


async def test_nobody_at_home_is_a_failure_without_effect(http: aiohttp.ClientSession, unused_tcp_port: int) -> None:
    with pytest.raises(ToolFailed) as failed:
        await send(http, Request("POST", URL(f"http://127.0.0.1:{unused_tcp_port}/")), private=True)

    assert not isinstance(failed.value, Unsure)


async def test_doctor_connects_and_asks_nothing(shop: Shop, http: aiohttp.ClientSession) -> None:
    reached = await Http("order", section(f"{shop.url}/orders/{{order}}"), http).doctor()
    inside = await Http("order", section(f"{shop.url}/orders/{{order}}", private=False), http).doctor()
    absent = await Http("order", section("http://127.0.0.1:1/{order}"), http).doctor()

    assert (reached.ok, inside.ok, absent.ok) == (True, False, False)
    assert "private" in inside.advice
    assert shop.asked == []


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"url": "ftp://shop.example/"}, "url"),
        ({"url": "https://{order}.example/"}, "url"),
        ({"url": "https://user:password@shop.example/"}, "url"),
        ({"url": "https://shop.example/{nobody}"}, "url"),
        ({"url": "https://shop.example/?order={order}"}, "url"),
        ({"bind": {"order": "person"}}, "parameters"),
        ({"bind": {"order": "anybody"}}, "bind"),
        ({"parameters": {"order": {"pattern": "("}}}, "parameters"),
        ({"parameters": {"an order": {}}}, "parameters"),
        ({"headers": {"Authorization": "Bearer spelled-out"}}, "headers"),
        ({"method": "BREW"}, "method"),
        ({"description": ""}, "description"),
    ],
)
def test_a_wrong_declaration_is_refused_at_its_setting(changed: dict[str, Any], key: str) -> None:
    with pytest.raises(ValidationError) as refused:
        section(**{"url": "https://shop.example/{order}", **changed})

    assert refused.value.errors()[0]["loc"][0] == key
