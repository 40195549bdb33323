"""Who holds a long connection, and how long it waits between two tries."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from channels.kit.connection import Backoff, hold
from hub.coordination.local import LocalLeases


class Losing:
    """Leases of which the first is lost when `lose` is set."""

    def __init__(self) -> None:
        self.lose = asyncio.Event()
        self.held = 0

    @asynccontextmanager
    async def hold(self, name: str) -> AsyncIterator["Losing"]:
        self.held += 1
        yield self

    async def lost(self) -> None:
        if self.held > 1:
            await asyncio.Event().wait()
        await self.lose.wait()


async def test_one_works_and_the_next_takes_over() -> None:
    leases, working = LocalLeases(), list[str]()
    began = asyncio.Queue[str]()

    async def work(name: str) -> None:
        working.append(name)
        await began.put(name)
        try:
            await asyncio.Event().wait()
        finally:
            working.remove(name)

    first = asyncio.create_task(hold(leases, "bot", lambda: work("first")))
    await began.get()
    second = asyncio.create_task(hold(leases, "bot", lambda: work("second")))
    await asyncio.sleep(0)
    alone = list(working)
    first.cancel()
    taken_over = await began.get()
    second.cancel()
    await asyncio.gather(first, second, return_exceptions=True)

    assert (alone, taken_over, working) == (["first"], "second", [])


async def test_work_begins_anew_after_the_lease_was_lost() -> None:
    leases, began, ended = Losing(), asyncio.Queue[int](), asyncio.Queue[int]()

    async def work() -> None:
        number = leases.held
        await began.put(number)
        try:
            await asyncio.Event().wait()
        finally:
            await ended.put(number)

    task = asyncio.create_task(hold(leases, "bot", work))
    await began.get()
    leases.lose.set()

    assert (await ended.get(), await began.get()) == (1, 2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()


async def test_work_that_ends_by_itself_is_over() -> None:
    async def work() -> None:
        return None

    await hold(LocalLeases(), "bot", work)


async def test_a_fault_of_the_work_goes_on_to_the_caller() -> None:
    async def work() -> None:
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 — raised two lines above
        await hold(LocalLeases(), "bot", work)


@pytest.mark.parametrize(("chance", "pauses"), [(1.0, [1, 2, 4, 8, 8, 8]), (0.0, [0.5, 1, 2, 4, 4, 4])])
def test_pauses_double_up_to_the_longest_and_are_cut_by_half_at_most(chance: float, pauses: list[float]) -> None:
    backoff = Backoff(1, 8, chance=lambda: chance)

    assert [backoff.pause(failures) for failures in range(1, 7)] == pauses
    assert backoff.pause(10**6) == pauses[-1]
