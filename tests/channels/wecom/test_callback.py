"""WeCom calls the hub: what is taken and what is refused."""

import asyncio
import random
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from wechatpy.enterprise.crypto import WeChatCrypto

from channels.kit import xml
from channels.simulators.pushes import post, push
from hub.message import Action, Conversation, Event, InboundMessage, Media, Part, Text
from hub.person import Identity
from hub.texts import texts
from tests.channels.callback import AT
from tests.channels.wecom.conftest import CORP, KEY, MEMBER, TOKEN, Make, World, said


async def status(world: World, query: dict[str, str], body: bytes) -> int:
    return (await post(world.http, world.account, query, body)).status


@pytest.mark.parametrize("words", ["1616140317555161061", "a+b /=&?<x>", "🙂"])
async def test_the_check_of_the_url_is_answered_with_what_was_sealed_and_nothing_else(make: Make, words: str) -> None:
    world = await make()
    for _ in range(10):  # a fresh ciphertext each, most of them with + or / in it
        async with world.http.get(world.account.url, params=world.account.check(words)) as response:
            assert (response.status, await response.read()) == (200, words.encode())


async def test_a_plus_that_arrives_as_a_space_is_still_a_plus(make: Make) -> None:
    world = await make()
    query = next(q for q in (world.account.check("echo") for _ in range(500)) if "+" in q["echostr"])
    async with world.http.get(world.account.url, params=query | {"echostr": query["echostr"].replace("+", " ")}) as r:
        assert (r.status, await r.text()) == (200, "echo")


async def test_the_check_of_wechatpy_takes_the_same_url(make: Make) -> None:
    world = await make()
    query = world.account.check("echo")
    crypto = WeChatCrypto(TOKEN, KEY, CORP)

    args = (query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"])
    assert crypto.check_signature(*args) == "echo"


async def test_a_check_that_is_not_for_us_is_refused(make: Make) -> None:
    world = await make()
    good = world.account.check("echo")
    other = replace(world.account, receive_id="wwother").check("echo")
    for query in (good | {"msg_signature": "0" * 40}, other, {}, good | {"timestamp": "1"}):
        async with world.http.get(world.account.url, params=query) as response:
            assert (response.status, await response.text()) == (403, "refused\n")


async def test_a_text_is_stored_before_it_is_acknowledged_with_nothing(make: Make) -> None:
    world = await make()
    done = await post(world.http, world.account, *world.account.signed(said(Content=" 几点开门 ", MsgId="77")))

    assert (done.status, done.body) == (200, b"")
    assert world.inbox.messages == [
        InboundMessage(
            key="77",
            conversation=Conversation("staff", CORP, MEMBER),
            sender=Identity("staff", CORP, MEMBER),
            parts=(Text(" 几点开门 "),),
            sent_at=datetime.fromtimestamp(AT, UTC),
        )
    ]


async def test_what_can_not_be_stored_is_asked_for_again(make: Make) -> None:
    world = await make()
    world.inbox.broken = True

    assert (await push(world.http, world.account, said(Content="你好"), MEMBER)).statuses == [503, 503, 503]


async def test_the_same_message_is_stored_once(make: Make) -> None:
    world = await make()
    body = said(Content="你好")
    await asyncio.gather(*(push(world.http, world.account, body, MEMBER) for _ in range(10)))

    assert len(world.inbox.messages) == 1


@pytest.mark.parametrize(
    ("kind", "fields", "part", "addressed"),
    [
        ("event", {"Event": "click", "EventKey": "HOURS"}, Action("HOURS"), True),
        ("event", {"Event": "enter_agent"}, Event("enter_agent"), False),
        ("event", {"Event": "LOCATION"}, Event("location"), False),
        ("event", {"Event": "change_contact", "ChangeType": "update_user"}, Event("change_contact"), False),
        ("image", {"MediaId": "m"}, Media("image", "m"), True),
        ("hologram", {}, Event("hologram"), True),
    ],
)
async def test_every_kind_is_recorded_and_acknowledged(
    make: Make, kind: str, fields: dict[str, str], part: Part, addressed: bool
) -> None:
    world = await make()
    pushed = await push(world.http, world.account, said(kind, **fields), MEMBER)

    assert (pushed.statuses, pushed.text) == ([200], "")
    assert [(m.parts, m.addressed) for m in world.inbox.messages] == [((part,), addressed)]


async def test_whoever_joins_the_application_is_welcomed(make: Make) -> None:
    world = await make()

    assert (await push(world.http, world.account, said("event", Event="subscribe"), MEMBER)).text == texts("zh").welcome


async def test_what_is_not_proven_or_can_not_be_read_is_refused(make: Make) -> None:
    world = await make()
    account = world.account
    query, body = account.signed(said(Content="你好"))
    bare = replace(account, key="", weak=True)
    refused = {
        "zeros": (query | {"msg_signature": "0" * 40}, body),
        "no query": ({}, body),
        "swapped": (query, account.signed(said(Content="你好"))[1]),
        "an hour ago": account.signed(said(Content="你好"), at=AT - 3600),
        "another corporation": replace(account, receive_id="wwother").signed(said(Content="你好")),
        "no receiver": replace(account, receive_id="").signed(said(Content="你好")),
        "a plain body": bare.signed(said(Content="你好")),
        "nothing sealed": (account.query("x"), xml.fields({"Encrypt": ""})),
    }
    assert {fact: await status(world, *case) for fact, case in refused.items()} == dict.fromkeys(refused, 403)

    unreadable = {
        "a document type": account.signed(b'<!DOCTYPE xml [<!ENTITY a "b">]>' + said(Content="x")),
        "cut off": account.signed(said(Content="x")[:-30]),
        "no XML": (account.query("x"), b"\x00\xff{"),
        "garbage": (account.query("AAAA" * 16), xml.fields({"Encrypt": "AAAA" * 16})),
    }
    assert {fact: await status(world, *case) for fact, case in unreadable.items()} == dict.fromkeys(unreadable, 400)

    long = xml.fields({"Encrypt": "A" * (300 << 10)})
    assert await status(world, account.query("x"), long) == 413
    assert world.inbox.messages == []


async def test_damaged_calls_are_never_a_fault_of_ours(make: Make) -> None:
    world, chance = await make(), random.Random(4)
    for _ in range(500):
        query, body = world.account.signed(said(Content="你好"))
        damaged = bytearray(body)
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        if chance.random() < 0.5:
            query[chance.choice(list(query))] = chance.choice(["", "9" * 30, "é", "\x00"])

        assert await status(world, query, bytes(damaged)) in (200, 400, 403)
