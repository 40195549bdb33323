"""WeChat calls the hub: what is taken, what is refused, and what comes back in the answer."""

import asyncio
import random
import secrets
from dataclasses import replace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from wechatpy import parse_message
from wechatpy.crypto import WeChatCrypto
from wechatpy.utils import check_signature

from channels.kit import xml
from channels.simulators.pushes import post, push
from channels.simulators.wechat_oa import message, say
from channels.wechat_oa.settings import Settings
from config import Secret
from hub.texts import texts
from tests.channels.callback import AT, until
from tests.channels.wechat_oa.conftest import APP_ID, KEY, OPENID, SECRET, TOKEN, Make, World

SAFE: dict[str, Any] = {"encoding_aes_key": Secret(KEY)}
BOTH = pytest.mark.parametrize("mode", [{}, SAFE], ids=["plain", "safe"])


async def answered(world: World, text: str, *, to: int = 0) -> None:
    """Answers as soon as the message is there."""
    await until(lambda: len(world.inbox.tickets) > to)
    world.answer(text, to=to)


def text(words: str = "你好", **more: str) -> bytes:
    return message(OPENID, "text", at=AT, Content=words, **more)


# ---- the check of the URL


@BOTH
async def test_the_check_of_the_url_comes_back_verbatim(make: Make, mode: dict[str, Any]) -> None:
    world = await make(**mode)
    async with world.http.get(world.account.url, params=world.account.check("6190 +/=<&>")) as response:
        assert (response.status, await response.text()) == (200, "6190 +/=<&>")
        assert response.headers["Content-Type"].startswith("text/plain")


@BOTH
async def test_a_check_that_is_not_signed_is_refused(make: Make, mode: dict[str, Any]) -> None:
    world = await make(**mode)
    good = world.account.check("echo")
    stale = replace(world.account, clock=lambda: AT - 601.0).check("echo")
    for query in (good | {"signature": "0" * 40}, good | {"signature": ""}, {}, stale, good | {"timestamp": "x"}):
        async with world.http.get(world.account.url, params=query) as response:
            assert (response.status, await response.text()) == (403, "refused\n")


async def test_a_parameter_that_stands_there_twice_counts_as_missing(make: Make) -> None:
    world = await make()
    query = [*world.account.check("echo").items(), ("nonce", "other")]
    async with world.http.get(world.account.url, params=query) as response:
        assert response.status == 403


async def test_a_signed_check_without_an_echo_is_refused(make: Make) -> None:
    world = await make()
    async with world.http.get(world.account.url, params=world.account.query()) as response:
        assert response.status == 400


# ---- in and out


@BOTH
async def test_a_question_is_answered_in_the_same_call(make: Make, mode: dict[str, Any]) -> None:
    world = await make(**mode)
    pushed, _ = await asyncio.gather(
        say(world.http, world.wechat, world.account, OPENID, "几点开门"), answered(world, "九点]]></xml>\0。")
    )

    assert (pushed.text, pushed.which, pushed.statuses) == ("九点]]></xml>。", 1, [200])
    assert [m.text for m in world.inbox.messages] == ["几点开门"]
    assert next(iter(world.inbox.tickets.values())).was_written == 1


async def test_wechatpy_understands_a_sealed_reply(make: Make) -> None:
    world = await make(**SAFE)
    query, body = world.account.signed(text())
    check_signature(TOKEN, query["signature"], query["timestamp"], query["nonce"])
    done, _ = await asyncio.gather(post(world.http, world.account, query, body), answered(world, "九点"))
    sealed = xml.read(done.body)
    opened = WeChatCrypto(TOKEN, KEY, APP_ID).decrypt_message(
        done.body, sealed["MsgSignature"], sealed["TimeStamp"], sealed["Nonce"]
    )

    reply = parse_message(opened)
    assert (reply.source, reply.target, reply.content) == ("gh_000000000000", OPENID, "九点")


async def test_only_the_sealed_half_of_a_compatible_body_counts(make: Make) -> None:
    world = await make(**SAFE)
    encrypted = world.account.envelope.encrypt(text("真话"))
    body = xml.fields({**xml.read(text("假话")), "Encrypt": encrypted})
    done, _ = await asyncio.gather(
        post(world.http, world.account, world.account.query(encrypted), body), answered(world, "好")
    )

    assert world.account.read(done.body, OPENID) == "好"
    assert [m.text for m in world.inbox.messages] == ["真话"]


async def test_the_same_message_is_accepted_once(make: Make) -> None:
    world = await make(push=True)
    body = text()
    tries = await asyncio.gather(
        *(post(world.http, world.account, *world.account.signed(body)) for _ in range(10)), answered(world, "九点")
    )

    assert {world.account.read(t.body, OPENID) for t in tries if t} == {"九点"}
    assert len(world.inbox.messages) == 1


async def test_the_same_words_again_are_another_message(make: Make) -> None:
    world = await make(push=True)
    for number in (0, 1):
        await asyncio.gather(
            say(world.http, world.wechat, world.account, OPENID, "好的"), answered(world, "好", to=number)
        )

    assert [m.text for m in world.inbox.messages] == ["好的", "好的"]


async def test_what_can_not_be_stored_is_not_acknowledged(make: Make) -> None:
    world = await make()
    world.inbox.broken = True

    assert (await post(world.http, world.account, *world.account.signed(text()))).status == 503


# ---- in time


async def test_with_push_wechat_is_answered_in_time_and_nothing_is_said(make: Make) -> None:
    world = await make(push=True)
    pushed = await say(world.http, world.wechat, world.account, OPENID, "慢")

    assert (pushed.text, pushed.statuses) == ("", [200])
    assert pushed.tries[0].seconds >= 0.25


async def test_without_push_an_answer_comes_with_the_try_that_is_open_when_it_is_ready(make: Make) -> None:
    world = await make()

    async def late() -> None:
        await asyncio.sleep(0.75)
        world.answer("终于")

    pushed, _ = await asyncio.gather(say(world.http, world.wechat, world.account, OPENID, "慢"), late())

    assert (pushed.text, pushed.which, pushed.statuses) == ("终于", 2, [0, 200])
    assert len(world.inbox.messages) == 1


async def test_without_push_the_last_try_is_answered_with_a_polite_line(make: Make) -> None:
    world = await make()
    pushed = await say(world.http, world.wechat, world.account, OPENID, "很慢")

    assert (pushed.text, pushed.which, pushed.statuses) == (texts("zh").pending, 3, [0, 0, 200])
    assert not any(ticket.was_written for ticket in world.inbox.tickets.values())


async def test_whoever_does_not_hang_up_is_cut_off_without_an_answer(make: Make) -> None:
    world = await make()
    patient = replace(world.account, cut=10.0)
    done = await post(world.http, patient, *patient.signed(text()))

    assert done.status == 0
    assert 1.0 < done.seconds < patient.cut


async def test_an_answer_that_nobody_waits_for_any_more_does_not_count_as_delivered(make: Make) -> None:
    world = await make(push=True, answer_within=0.5, cut=0.6)
    impatient = replace(world.account, cut=0.1)
    await post(world.http, impatient, *impatient.signed(text()))
    await asyncio.sleep(0.05)
    world.answer("九点")
    await asyncio.sleep(0.1)

    assert not any(ticket.was_written for ticket in world.inbox.tickets.values())


@pytest.mark.parametrize(("wait", "got"), [(0.0, True), (0.3, False)], ids=["at-once", "near-the-cut"])
async def test_a_client_that_closes_with_the_answer_has_got_it_unless_wechat_may_have_hung_up_by_then(
    make: Make, monkeypatch: pytest.MonkeyPatch, wait: float, got: bool
) -> None:
    """Whoever closes early has read the answer, however late a busy hub sees both; near the cut it may be WeChat."""
    world = await make(answer_within=0.2 if wait else 30.0, cut=60.0)
    write, seen = web.Response.write_eof, asyncio.Event()

    async def busy(response: web.Response, data: bytes = b"") -> None:
        """As when the loop is busy: it learns at once that the answer went out and that the client closed."""
        transport = response._req and response._req.transport
        await asyncio.sleep(wait)
        await write(response, data)
        if transport:
            await until(transport.is_closing)
            seen.set()

    monkeypatch.setattr(web.Response, "write_eof", busy)
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True)) as http:
        query, body = world.account.signed(text())
        done, _ = await asyncio.gather(
            post(http, replace(world.account, cut=60.0), query, body), answered(world, "九点")
        )
        await seen.wait()
        await asyncio.sleep(0.05)

    assert done.status == 200
    assert [ticket.was_written for ticket in world.inbox.tickets.values()] == [got]


# ---- what the agent is not asked


@BOTH
@pytest.mark.parametrize(
    ("kind", "fields", "said"),
    [
        ("event", {"Event": "subscribe", "EventKey": ""}, texts("zh").welcome),
        ("event", {"Event": "unsubscribe"}, ""),
        ("event", {"Event": "VIEW", "EventKey": "http://x"}, ""),
        ("event", {"Event": "brand_new"}, ""),
        ("text", {"Content": "  "}, ""),
    ],
)
async def test_what_the_agent_is_not_asked_is_recorded_and_acknowledged_at_once(
    make: Make, mode: dict[str, Any], kind: str, fields: dict[str, str], said: str
) -> None:
    world = await make(**mode)
    pushed = await push(world.http, world.account, message(OPENID, kind, at=AT, **fields), OPENID)

    assert (pushed.text, pushed.statuses) == (said, [200])
    assert [m.addressed for m in world.inbox.messages] == [False]


async def test_the_operator_may_choose_the_welcome(make: Make) -> None:
    world = await make(welcome="欢迎光临")
    pushed = await push(world.http, world.account, message(OPENID, "event", at=AT, Event="subscribe"), OPENID)

    assert pushed.text == "欢迎光临"


# ---- refused


async def status(world: World, query: dict[str, str], body: bytes) -> int:
    return (await post(world.http, world.account, query, body)).status


@BOTH
async def test_what_is_not_proven_is_refused(make: Make, mode: dict[str, Any]) -> None:
    world = await make(**mode)
    account = world.account
    query, body = account.signed(text())
    other = replace(account, token="another-token")
    cases = {
        "zeros": (query | {name: "0" * 40 for name in query if "signature" in name}, body),
        "no query": ({}, body),
        "an hour ago": account.signed(text(), at=AT - 3600),
        "in an hour": account.signed(text(), at=AT + 3600),
        "another token": other.signed(text()),
        "another time": (query | {"timestamp": str(AT + 1)}, body),
    }

    assert {fact: await status(world, *case) for fact, case in cases.items()} == dict.fromkeys(cases, 403)
    assert world.inbox.messages == []


async def test_safe_mode_takes_nothing_but_what_is_sealed_for_it(make: Make) -> None:
    world = await make(**SAFE)
    account = world.account
    bare = replace(account, key="")
    encrypted = account.envelope.encrypt(text())
    cases = {
        "a plain body": bare.signed(text()),
        "only the weak signature": (bare.query(), xml.fields({"Encrypt": encrypted})),
        "another account": replace(account, receive_id="wxanother").signed(text()),
        "another key": replace(account, key=KEY[::-1]).signed(text()),
        "a swapped body": (account.signed(text())[0], account.signed(text())[1]),
    }
    assert {fact: await status(world, *case) in (400, 403) for fact, case in cases.items()} == dict.fromkeys(
        cases, True
    )

    garbage = {
        sealed: (account.query(sealed), xml.fields({"Encrypt": sealed})) for sealed in ("!!!!", "A" * 24, "AAAA" * 16)
    }
    assert {name: await status(world, *case) in (400, 403) for name, case in garbage.items()} == dict.fromkeys(
        garbage, True
    )
    assert world.inbox.messages == []


@BOTH
async def test_what_can_not_be_read_is_refused(make: Make, mode: dict[str, Any]) -> None:
    world = await make(**mode)
    account, bare = world.account, replace(world.account, key="")
    cases = {
        "cut off": account.signed(text()[:-30]),
        "a document type": account.signed(b'<!DOCTYPE xml [<!ENTITY a "b">]>' + text()),
        "broken UTF-8": account.signed(text().replace("你".encode(), b"\xff")),
        "no XML": (bare.query(), b"\x00\xff{not xml"),
        "nothing": (bare.query(), b""),
        "no message": account.signed(b"<xml><MsgType>text</MsgType></xml>"),
    }

    assert {fact: await status(world, *case) for fact, case in cases.items()} == dict.fromkeys(cases, 400)
    assert await status(world, bare.query(), b"<xml>" + b"x" * (1 << 19) + b"</xml>") == 413
    assert world.inbox.messages == []


async def test_a_long_body_without_a_length_is_not_read_to_its_end(make: Make) -> None:
    world = await make(body_bytes=2048)

    async def endless() -> Any:
        for _ in range(1000):
            yield b"x" * 1024

    async with world.http.post(world.account.url, params=world.account.query(), data=endless()) as response:
        assert response.status == 413


@BOTH
async def test_one_flipped_bit_in_what_is_signed_is_refused(make: Make, mode: dict[str, Any]) -> None:
    world, chance = await make(**mode), random.Random(2)
    for _ in range(60):
        query, body = world.account.signed(text())
        names = [n for n in query if n not in ("encrypt_type", "signature" if mode else "")]
        name = chance.choice(names)
        at = chance.randrange(len(query[name]))
        changed = query[name][:at] + chr(ord(query[name][at]) ^ 1) + query[name][at + 1 :]
        assert await status(world, query | {name: changed}, body) == 403


@BOTH
async def test_five_hundred_damaged_calls_are_never_a_fault_of_ours(make: Make, mode: dict[str, Any]) -> None:
    world, chance = await make(push=True, answer_within=0.001, **mode), random.Random(3)
    for _ in range(500):
        query, body = world.account.signed(text())
        damaged = bytearray(body)
        for _ in range(chance.randint(1, 3)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.3:
            query[chance.choice(list(query))] = chance.choice(["", "9" * 30, "\u00e9", "\x00", secrets.token_hex(20)])

        assert await status(world, query, bytes(damaged)) in (200, 400, 403)


def test_no_secret_shows_in_the_settings() -> None:
    settings = Settings(app_id=APP_ID, app_secret=Secret(SECRET), token=Secret(TOKEN), encoding_aes_key=Secret(KEY))
    for secret in (SECRET, TOKEN, KEY):
        assert secret not in repr(settings)
        assert secret not in settings.model_dump_json()
