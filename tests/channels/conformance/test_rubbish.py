"""Whatever comes, signed or not: it is refused or has no effect, and is never a fault of ours."""

import asyncio
import json
import random
from contextlib import AsyncExitStack

import hypothesis
import hypothesis.strategies as st
import pytest

from tests.channels.conformance.case import Call, Case
from tests.channels.conformance.world import World, opened

SEED, RANDOM, FOUND = 20, 200, 100
"""How many bodies are tried: by chance, and by hypothesis."""
WORDS = (
    "<xml>",
    "</xml>",
    "<![CDATA[",
    "]]>",
    '{"',
    '":',
    "[",
    "]",
    "null",
    "1e999",
    "\\ud800",
    "你",
    "😀",
    "\0",
    "&x;",
)
ENTITIES = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><xml><Content>&b;</Content></xml>'
UNREADABLE = {
    "broken UTF-8": b"<xml><Content>\xff\xfe\xc3</Content></xml>",
    "a half of a pair": '{"a":"\ud800"}'.encode("utf-8", "surrogatepass"),
    "a document type": ENTITIES,
    "a file by entity": b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/hostname">]><xml><MsgId>&a;</MsgId></xml>',
    "deep lists": b"[" * 100_000 + b"]" * 100_000,
    "deep objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "broken off": b'{"header":{"event_id"',
    "no object": b'"words"',
    "another coding": '<?xml version="1.0" encoding="utf-16"?><xml/>'.encode("utf-16"),
    "nothing but zeros": bytes(64),
}
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
bodies = st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "surrogatepass"))
bodies |= values.map(lambda value: json.dumps(value).encode())


@pytest.mark.parametrize("what", UNREADABLE)
async def test_what_can_t_be_read_is_refused(world: World, what: str) -> None:
    assert 400 <= await world.status(world.case.sign(UNREADABLE[what])) < 500
    assert 400 <= await world.status(Call(UNREADABLE[what])) < 500
    assert world.messages == []


async def test_too_large_a_body_is_refused(world: World) -> None:
    large = world.case.sign(b" " * (2 << 20))
    for call in (large, Call(large.body), Call(b"<xml>" + b"x" * (2 << 20))):
        assert 400 <= await world.status(call) < 500

    assert world.messages == []
    assert await world.status(world.call("在吗")) == 200


def by_chance(chance: random.Random) -> bytes:
    """Bytes, or words of the platforms' languages in an order that means nothing."""
    if chance.random() < 0.3:
        return chance.randbytes(chance.randrange(300))
    return "".join(chance.choices(WORDS, k=chance.randrange(1, 30))).encode("utf-8", "surrogatepass")


async def harmless(world: World, body: bytes) -> None:
    """Signed, it is refused or does nothing; unsigned, it is refused."""
    before = len(world.messages)
    signed, unsigned = await world.status(world.case.sign(body)), await world.status(Call(body))

    assert signed == 200 or 400 <= signed < 500
    assert 400 <= unsigned < 500 or (world.case.kind == "h5" and unsigned == 200 and b"hello" in body)
    assert len(world.messages) == before


async def test_rubbish_by_chance_is_harmless(world: World) -> None:
    chance = random.Random(SEED)
    for _ in range(RANDOM):
        await harmless(world, by_chance(chance))


async def test_a_message_that_lost_a_piece_is_no_fault_of_ours(world: World) -> None:
    chance = random.Random(SEED)
    whole = world.case.message("在吗", world.key(), world.api)
    for _ in range(60):
        start, end = sorted(chance.sample(range(len(whole) + 1), 2))
        assert await world.status(world.case.sign(whole[:start] + whole[end:])) < 500


def test_rubbish_that_is_looked_for_is_harmless(case: Case) -> None:
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        world = runner.run(stack.enter_async_context(opened(case)))

        @hypothesis.settings(max_examples=FOUND, deadline=None, database=None, derandomize=True)
        @hypothesis.given(bodies)
        def holds(body: bytes) -> None:
            runner.run(harmless(world, body))

        try:
            holds()
        finally:
            runner.run(stack.aclose())
