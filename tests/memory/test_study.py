"""What people said is read once they are quiet, beside the answers, for its own person and place only."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from hub.errors import HubError
from memory import privacy
from memory.retention import expire
from memory.sensitive import Policy
from memory.store import Store
from memory.study import Study
from tests.memory.world import World


@dataclass
class Writes:
    """A model that finds the same fact in the last message each time, and sums up with it."""

    quote: str = "我家养了一只橘猫"
    value: str = "橘猫"
    summary: str = "家里养了一只橘猫。"
    asked: list[str] = field(default_factory=list)
    broken: bool = False
    meanwhile: asyncio.Event | None = None
    go_on: asyncio.Event | None = None

    async def write(self, task: str, words: str) -> str:
        self.asked.append(words)
        if self.broken:
            raise HubError("down")
        if self.meanwhile and self.go_on:
            self.meanwhile.set()
            await self.go_on.wait()
        fact = {"kind": "note", "key": "宠物", "value": self.value, "quote": self.quote}
        number = words.count("<message ")
        return json.dumps({"facts": [{**fact, "message": number}], "summary": self.summary}, ensure_ascii=False)


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


def study(world: World, scribe: Writes | None, *, calls: int = 9) -> Study:
    return Study(world.store, lambda: world.now, Policy(), scribe, calls, rest=0)


async def read(world: World, scribe: Writes | None, who: str, words: str = "我家养了一只橘猫", group: str = "") -> int:
    stored = await world.accept(who, words, group=group)
    await world.close(stored)
    return await study(world, scribe).read(stored)


async def test_a_fact_and_a_summary_of_the_model_come_back_and_are_not_kept_twice(world: World) -> None:
    assert await read(world, Writes(), "oa:lin") == 1
    assert await read(world, Writes(), "oa:lin") == 0
    recalled = await world.recalled("oa:lin", "猫粮")

    assert (recalled.count("我家养了一只橘猫"), recalled[-1]) == (1, "此前谈过：家里养了一只橘猫。")
    assert "橘猫" in await world.say("oa:lin", "/memory")


async def test_what_was_read_is_not_read_again(world: World) -> None:
    scribe = Writes()
    await read(world, scribe, "oa:lin")
    await read(world, scribe, "oa:lin", "今天天气不错")

    assert [words.count("<message ") for words in scribe.asked] == [1, 1]
    assert "<before>家里养了一只橘猫。</before>" in scribe.asked[1]


async def test_only_the_own_words_of_this_place_are_shown_to_the_model(world: World) -> None:
    await world.say("oa:other", "翡翠算盘")
    await world.say("oa:lin", "薰衣草", group="room")
    await world.say("oa:lin", "/link")
    scribe = Writes()
    await read(world, scribe, "oa:lin")

    assert "橘猫" in scribe.asked[0]
    assert [word for word in ("翡翠", "薰衣草", "/link", "ok") if word in scribe.asked[0]] == []


async def test_a_summary_stays_where_its_words_were_said(world: World) -> None:
    await read(world, Writes(), "oa:lin", group="room")

    assert "橘猫" not in "".join(await world.recalled("oa:lin", "猫粮"))
    assert "橘猫" in "".join(await world.recalled("oa:lin", "猫粮", group="room"))


async def test_a_summary_is_parted_with_the_identity_whose_words_it_sums_up(world: World) -> None:
    await read(world, Writes(), "oa:lin")
    await world.say("web:v", f"/link {await world.code('oa:lin')}")
    assert "橘猫" in "".join(await world.recalled("web:v", "养什么"))
    await world.say("web:v", "/unlink")

    assert "橘猫" not in "".join(await world.recalled("web:v", "养什么"))
    assert "橘猫" in "".join(await world.recalled("oa:lin", "养什么"))


async def test_what_is_erased_while_the_model_thinks_leaves_nothing(world: World) -> None:
    scribe = Writes(meanwhile=asyncio.Event(), go_on=asyncio.Event())
    assert scribe.meanwhile
    assert scribe.go_on
    reading = asyncio.create_task(read(world, scribe, "oa:lin"))
    await scribe.meanwhile.wait()
    person = await world.store.read(lambda c: privacy.find(c, "oa", "oa:lin"))
    assert person is not None
    await world.store.write(lambda c: privacy.forget(c, person, by="operator", now=world.now))
    scribe.go_on.set()

    assert await reading == 0
    assert "橘猫" not in await world.seen("oa:lin")


async def test_what_is_forbidden_is_neither_learned_nor_summed_up(world: World) -> None:
    await world.say("oa:lin", "/memory forbid 橘猫")
    await read(world, Writes(), "oa:lin")

    assert "橘猫" not in "".join(await world.recalled("oa:lin", "养什么"))


async def test_a_card_number_is_masked_in_a_summary(world: World) -> None:
    scribe = Writes(summary="他的卡号是 6222021234567894。")
    await read(world, scribe, "oa:lin", "我的卡号是 6222021234567894")

    assert "6222021234567894" not in "".join(await world.recalled("oa:lin", "卡号"))


async def test_retention_empties_a_summary_with_its_oldest_words(world: World) -> None:
    await read(world, Writes(), "oa:lin")
    world.now += timedelta(days=31)
    await expire(world.store, 30, now=world.now)

    assert "橘猫" not in "".join(await world.recalled("oa:lin", "养什么"))


async def test_a_model_that_is_down_or_used_up_loses_nothing(world: World) -> None:
    assert await read(world, Writes(broken=True), "oa:lin") == 0
    stored = await world.accept("oa:lin", "你好")
    await world.close(stored)
    scribe = Writes()
    assert await study(world, scribe, calls=0).read(stored) == 0
    assert scribe.asked == []
    await study(world, scribe).read(stored)

    assert scribe.asked[0].count("<message ") == 2


async def test_without_a_model_ten_messages_come_to_a_summary(world: World) -> None:
    for n in range(9):
        assert await read(world, None, "oa:lin", f"退款多久到账，第{n}次问") == 0
    assert not any("此前谈过" in one for one in await world.recalled("oa:lin", "你好呀"))
    await read(world, None, "oa:lin", "还是退款没到账")

    assert "退款多久到账" in (await world.recalled("oa:lin", "你好呀"))[-1]


async def test_it_reads_by_itself_when_somebody_has_gone_quiet(world: World) -> None:
    scribe = Writes(meanwhile=asyncio.Event(), go_on=asyncio.Event())
    assert scribe.meanwhile
    works = study(world, scribe)
    running = asyncio.create_task(works.run())
    stored = await world.accept("oa:lin", "我家养了一只橘猫")
    await world.close(stored)
    works.notice(stored)
    works.notice(stored)
    await scribe.meanwhile.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running

    assert len(scribe.asked) == 1
