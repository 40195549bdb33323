"""The process may die between any two steps: every message still gets one answer, a second only where it is marked."""

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hub.message import InboundMessage, OutboundMessage
from tests.hub.stage import Stage, said, stage

STEPS = ("accept", "begin", "answer", "mark")
"""What the journal is asked to write on the way of a message."""
MOST = 40
"""More steps than two messages have."""


class Death:
    """Ends the process at its n-th step, before the step is done or right after: nothing moves any more then."""

    def __init__(self, at: int, *, after: bool) -> None:
        self.at, self.after = at, after
        self.steps = 0
        self.came = asyncio.Event()

    def near(self, step: Callable[..., Any]) -> Callable[..., Any]:
        """The same step, deadly in its turn."""

        async def mortal(*given: Any, **more: Any) -> Any:
            self.steps += 1
            mine = self.steps == self.at
            if self.came.is_set() or (mine and not self.after):
                await self._die()
            done = await step(*given, **more)
            if mine or self.came.is_set():
                await self._die()
            return done

        return mortal

    async def _die(self) -> None:
        self.came.set()
        await asyncio.Event().wait()


def mortal(hub: Stage, death: Death) -> None:
    """Makes every step of this hub deadly that is written down or goes out."""
    for name in STEPS:
        setattr(hub.journal, name, death.near(getattr(hub.journal, name)))
    hub.channel.send = death.near(hub.channel.send)  # type: ignore[method-assign]  # it is the same, but for death


async def lived(hub: Stage, messages: list[InboundMessage], death: Death) -> None:
    """What a platform brings, until all is answered or the process is dead."""
    arriving = [asyncio.create_task(hub.gateway.accept(message)) for message in messages]
    dying, settled = asyncio.create_task(death.came.wait()), asyncio.create_task(_settled(hub, arriving))
    await asyncio.wait([dying, settled], return_when=asyncio.FIRST_COMPLETED)
    for task in (*arriving, dying, settled):
        task.cancel()
    await asyncio.gather(*arriving, dying, settled, return_exceptions=True)


async def _settled(hub: Stage, arriving: list["asyncio.Task[Any]"]) -> None:
    await asyncio.gather(*arriving)
    await hub.settled()


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
async def test_each_message_is_answered_once_whichever_step_was_the_last(tmp_path: Path, *, after: bool) -> None:
    messages = [said("一", key="k1"), said("二", key="k2", user="wang")]
    died = 0
    for at in range(1, MOST):
        folder, shown = tmp_path / str(at), list[OutboundMessage]()
        async with stage(folder) as hub:
            death = Death(at, after=after)
            mortal(hub, death)
            await lived(hub, messages, death)
            shown += hub.channel.sent
        async with stage(folder) as hub:
            for message in messages:  # what was not acknowledged comes again
                await hub.gateway.accept(message)
            await hub.settled()
            shown += hub.channel.sent
            assert await hub.journal.unsent() == []
        died += death.came.is_set()
        times = Counter((message.reply_to, message.retry) for message in shown)

        assert {message.reply_to for message in shown} == {"k1", "k2"}, at
        assert set(times.values()) == {1}, at
        if not death.came.is_set():
            break

    assert died >= 8
