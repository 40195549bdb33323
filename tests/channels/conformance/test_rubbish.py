"""Whatever comes, signed or not: it is refused or has no effect, and is never a fault of ours."""

import asyncio
import json
import random
from contextlib import AsyncExitStack

import hypothesis
import hypothesis.strategies as st
import pytest
from yarl import URL

from tests.channels.conformance.case import Call, Case
from tests.channels.conformance.damage import UNREADABLE, by_chance, damaged
from tests.channels.conformance.world import World, opened

SEED, RANDOM, FOUND = 20, 200, 100
"""How many bodies are tried: by chance, and by hypothesis."""
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


async def test_a_body_that_does_not_end_is_not_waited_for(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else whoever opens a connection and says little keeps it, and the work behind it, for ever."""
    monkeypatch.setattr("channels.kit.callback.SECONDS", 0.2)
    call, url = world.call("在吗"), URL(world.url)
    target = url.update_query(dict(call.query)).raw_path_qs
    head = {"Host": "hub", "Content-Length": str(len(call.body)), **call.headers}
    reader, writer = await asyncio.open_connection(url.host, url.port)
    writer.write(f"POST {target} HTTP/1.1\r\n".encode())
    writer.write("".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n" + call.body[:-1])
    async with asyncio.timeout(20):
        answer = await reader.readline()
    writer.close()

    assert answer.startswith(b"HTTP/1.1 400")
    assert world.messages == []


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


async def test_what_was_damaged_on_its_way_is_refused_and_reaches_nobody(world: World) -> None:
    chance = random.Random(SEED)
    statuses = [await world.status(damaged(world.case, world.api, chance)) for _ in range(RANDOM)]

    assert {status for status in statuses if not 400 <= status < 500} <= {200}
    assert statuses.count(200) < RANDOM / 20
    assert world.messages == []


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
