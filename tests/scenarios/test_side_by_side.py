"""A hundred people ask at once, and none of them waits for another."""

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from agent.models.scripted import Script, Scripted, echo
from tests.bench.platforms import Page
from tests.scenarios import house as building
from tests.scenarios.house import house

PEOPLE = [f"p{n}" for n in range(100)]


class Gate(Scripted):
    """A model that answers nobody before all of them have asked, and one of them not at all until it is let."""

    def __init__(self, script: Script = echo) -> None:
        super().__init__(script)
        self.together = asyncio.Barrier(len(PEOPLE))
        self.let = asyncio.Event()

    async def _chat(self, request: web.Request) -> web.StreamResponse:
        if "第 0 位" in await request.text():
            await self.let.wait()
        else:
            await self.together.wait()
        return await super()._chat(request)


async def test_a_hundred_turns_are_with_the_model_at_once_and_a_slow_one_holds_nobody_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(building, "Scripted", Gate)
    slow = "第 0 位"
    async with (
        house(tmp_path, monkeypatch, Page, script=echo) as h,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
        h.running(),
    ):
        page, gate = h.sides["h5"], h.model
        assert isinstance(gate, Gate)
        await page.meet(http, h.ends, ["slow", *PEOPLE])
        await page.say(http, "slow", f"{slow}问")
        for person in PEOPLE:
            assert await page.say(http, person, f"{person} 问") == 200

        await asyncio.gather(*(h.until("h5", 1, who=person) for person in PEOPLE))
        waiting = list(h.read["h5 slow"])
        gate.let.set()

        assert waiting == []
        assert await h.until("h5", 1, who="slow") == [f"{slow}问"]
        assert all(h.read[f"h5 {person}"] == [f"{person} 问"] for person in PEOPLE)
