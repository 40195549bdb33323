"""A live reply on a platform that is told of every change."""

import asyncio

import pytest

from channels.kit.pump import Pump
from hub.errors import Blocked, DeliveryError, Faulty, Impossible, NotStored, Unknown


class Platform:
    """Shows texts, one at a time; `faults` come first. `slow` holds each call until it is set."""

    def __init__(self, *faults: Exception) -> None:
        self.shown: list[str] = []
        self.faults = list(faults)
        self.calls = 0
        self.busy = 0
        self.most = 0
        self.free = asyncio.Event()
        self.free.set()

    async def show(self, text: str) -> None:
        self.calls += 1
        self.busy += 1
        self.most = max(self.most, self.busy)
        await self.free.wait()
        self.busy -= 1
        if self.faults:
            raise self.faults.pop(0)
        self.shown.append(text)


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_only_the_latest_text_is_shown_and_one_at_a_time() -> None:
    platform = Platform()
    platform.free.clear()
    pump = Pump("h", platform.show, interval=0)
    for text in ("a", "ab", "abc"):
        await pump.grow(text)
        await settled()
    platform.free.set()
    await settled()
    await pump.close()

    assert (platform.shown, platform.most) == (["a", "abc"], 1)


async def test_between_two_changes_there_is_a_pause() -> None:
    platform = Platform()
    pump = Pump("h", platform.show, interval=60)
    await pump.grow("a")
    await settled()
    await pump.grow("ab")
    await settled()

    assert platform.shown == ["a"]
    async with asyncio.timeout(1):
        await pump.close()


async def test_closing_waits_for_the_change_under_way_and_begins_no_other() -> None:
    platform = Platform()
    platform.free.clear()
    pump = Pump("h", platform.show, interval=0)
    await pump.grow("a")
    await settled()
    await pump.grow("ab")
    closing = asyncio.create_task(pump.close())
    await settled()
    waits = not closing.done()
    platform.free.set()
    await closing
    await pump.grow("abc")
    await settled()

    assert (waits, platform.shown) == (True, ["a"])


@pytest.mark.parametrize("fault", [Faulty(code="503"), Unknown(code="no_answer")])
async def test_a_fault_loses_one_change(fault: DeliveryError) -> None:
    platform = Platform(fault)
    pump = Pump("h", platform.show, interval=0)
    for text in ("a", "ab"):
        await pump.grow(text)
        await settled()
    await pump.close()

    assert platform.shown == ["ab"]


@pytest.mark.parametrize("refusal", [Blocked(), Impossible(), NotStored()])
async def test_a_refusal_ends_the_growing(refusal: Exception) -> None:
    platform = Platform(refusal)
    pump = Pump("h", platform.show, interval=0)
    for text in ("a", "ab"):
        await pump.grow(text)
        await settled()
    await pump.close()

    assert (platform.shown, platform.calls) == ([], 1)


async def test_a_reply_that_never_grew_ends_at_once() -> None:
    await Pump("h", Platform().show, interval=60).close()
