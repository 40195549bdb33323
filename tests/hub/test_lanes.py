"""In order within a lane, side by side between lanes, bounded in number."""

import asyncio
from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from hub.lanes import A_ROUND, Lanes


@given(st.lists(st.integers(0, 4), max_size=40), st.integers(1, 4))
def test_each_lane_keeps_its_order_and_no_more_than_allowed_work_at_once(keys: list[int], most: int) -> None:
    done: defaultdict[int, list[int]] = defaultdict(list)
    busy: set[int] = set()
    seen_busy = 0

    async def work(item: tuple[int, int]) -> None:
        nonlocal seen_busy
        key, number = item
        assert key not in busy
        busy.add(key)
        seen_busy = max(seen_busy, len(busy))
        await asyncio.sleep(0)
        busy.discard(key)
        done[key].append(number)

    async def run() -> None:
        lanes: Lanes[int, tuple[int, int]] = Lanes(work, most=most)
        for number, key in enumerate(keys):
            lanes.put(key, (key, number))
        assert await lanes.drain(5)
        assert lanes.depth == 0

    asyncio.run(run())

    assert done == {k: [n for n, other in enumerate(keys) if other == k] for k in set(keys)}
    assert seen_busy <= most


async def test_somebody_with_many_items_does_not_delay_somebody_with_one() -> None:
    order: list[str] = []

    async def work(item: str) -> None:
        order.append(item)

    lanes: Lanes[str, str] = Lanes(work, most=1)
    for n in range(3):
        lanes.put("many", f"many {n}")
    lanes.put("one", "one")
    await lanes.drain(5)

    assert order == ["many 0", "one", "many 1", "many 2"]


async def test_an_item_put_while_its_lane_is_busy_is_worked_on_afterwards() -> None:
    gate, order = asyncio.Event(), []

    async def work(item: int) -> None:
        await gate.wait()
        order.append(item)

    lanes: Lanes[str, int] = Lanes(work, most=2)
    lanes.put("a", 1)
    await asyncio.sleep(0)
    lanes.put("a", 2)
    assert not await lanes.drain(0.01)
    gate.set()
    assert await lanes.drain(5)

    assert order == [1, 2]


async def test_closing_cancels_what_is_in_work() -> None:
    begun, cancelled = asyncio.Event(), asyncio.Event()

    async def work(_: int) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    lanes: Lanes[str, int] = Lanes(work, most=1)
    lanes.put("a", 1)
    await begun.wait()
    await lanes.close()

    assert cancelled.is_set()
    assert lanes.depth == 0


async def test_many_items_begin_a_few_in_a_round_of_the_loop_so_that_others_get_their_turn_between() -> None:
    begun, rounds = 0, list[int]()

    async def work(_: int) -> None:
        nonlocal begun
        begun += 1

    lanes: Lanes[int, int] = Lanes(work, most=1000)
    for number in range(500):
        lanes.put(number, number)
    while lanes.depth:
        before = begun
        await asyncio.sleep(0)
        rounds.append(begun - before)

    assert begun == 500
    assert max(rounds) <= A_ROUND
