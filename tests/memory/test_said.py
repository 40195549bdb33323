"""Older statements come back by what they share with a question; nobody else's do, nor what is out of date."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory.said import days, terms
from memory.store import open_store
from tests.hub.stage import migrated
from tests.memory.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    await asyncio.to_thread(migrated, tmp_path)
    async with open_store("", tmp_path) as store:
        yield World(store, history=4)


async def _chatter(world: World, who: str, *, group: str = "") -> None:
    """Enough of it that what was said before is not in the history any more."""
    for words in ("好的", "谢谢"):
        await world.say(who, words, group=group)


async def test_a_statement_that_no_pattern_knows_is_found_by_its_rare_words(world: World) -> None:
    await world.say("oa:lin", "会员卡在钱包夹层里，密码锁坏了")
    await world.say("oa:lin", "今天天气不错")
    await _chatter(world, "oa:lin")

    (found,) = await world.recalled("oa:lin", "会员卡放在哪里？")
    assert found == f"会员卡在钱包夹层里，密码锁坏了（{world.now.astimezone():%Y-%m-%d}）"


async def test_what_the_history_shows_anyway_and_questions_are_not_repeated(world: World) -> None:
    await world.say("oa:lin", "会员卡怎么办理？")
    await _chatter(world, "oa:lin")
    await world.say("oa:lin", "会员卡在钱包夹层里")

    assert await world.recalled("oa:lin", "会员卡放在哪里？") == []


async def test_nobody_elses_words_come_and_groups_and_private_stay_apart(world: World) -> None:
    await world.say("oa:other", "会员卡在保险柜里")
    await world.say("oa:lin", "会员卡在钱包里")
    await world.say("oa:lin", "会员卡给过前台", group="room")
    await world.say("oa:other", "会员卡在群主那里", group="room")
    await _chatter(world, "oa:lin")
    await _chatter(world, "oa:lin", group="room")

    assert [one[:8] for one in await world.recalled("oa:lin", "会员卡呢")] == ["会员卡在钱包里（"]
    assert [one[:8] for one in await world.recalled("oa:lin", "会员卡呢", group="room")] == ["会员卡给过前台（"]


async def test_a_statement_whose_fact_was_replaced_is_not_shown(world: World) -> None:
    await world.say("oa:lin", "我的地址是上海市长宁路一号")
    await world.say("oa:lin", "我的地址是杭州市文三路二号")
    await _chatter(world, "oa:lin")

    assert "长宁路" not in "".join(await world.recalled("oa:lin", "我的地址是哪里"))


async def test_a_day_that_the_question_names_brings_what_was_said_on_it(world: World) -> None:
    await world.say("oa:lin", "吸尘器的滤网断了")
    world.now += timedelta(days=2)
    await world.say("oa:lin", "洗碗机漏水")
    await _chatter(world, "oa:lin")
    world.now += timedelta(days=1)

    assert [one[:5] for one in await world.recalled("oa:lin", "昨天我说了什么")][:1] == ["洗碗机漏水"]


async def test_at_most_four_and_card_numbers_masked(world: World) -> None:
    for n in range(6):
        await world.say("oa:lin", f"退款打到银行卡4111111111111111，第{n}次")
    await _chatter(world, "oa:lin")
    found = await world.recalled("oa:lin", "退款到银行卡")

    assert len(found) == 4
    assert "4111111111111111" not in "".join(found)


def test_a_question_is_reduced_to_its_subject() -> None:
    assert terms("我的会员卡放在哪里？") == {"会员", "员卡", "卡放"}
    assert terms("wifi 的密码是多少") == {"wifi", "密码"}
    assert terms("你知道什么吗") == frozenset()


def test_yesterday_is_the_whole_day_before() -> None:
    now = datetime(2026, 5, 2, 12, tzinfo=UTC)
    found = days("昨天说的", now)
    assert found is not None
    assert found[1] - found[0] == timedelta(days=1)
    assert found[1] == now.astimezone().replace(hour=0)
    assert days("会员卡", now) is None
