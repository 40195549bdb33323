"""What people wish of what is remembered of them: pinned, forbidden, ended and taken back; on either database."""

from datetime import timedelta

import pytest

from memory import audit, privacy
from memory.store import Store
from tests.memory.world import World


@pytest.fixture
def world(store: Store) -> World:
    return World(store)


async def test_the_list_is_numbered_and_a_pinned_fact_stands_first_and_is_always_told(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")
    for n in range(13):
        await world.say("oa:lin", f"我喜欢{'甲乙丙丁戊己庚辛壬癸子丑寅'[n]}款")
    assert "14. 对花生过敏" in await world.say("oa:lin", "/memory")
    assert "对花生过敏" not in await world.recalled("oa:lin", "甲款有吗")
    assert "花生" in await world.say("oa:lin", "固定记忆 14")

    assert "1. 对花生过敏（固定）" in await world.say("oa:lin", "/memory")
    assert "对花生过敏" in await world.recalled("oa:lin", "甲款有吗")
    await world.say("oa:lin", "/memory unpin 1")
    assert "固定）" not in await world.say("oa:lin", "/memory")


async def test_a_newer_value_takes_over_the_pin(world: World) -> None:
    await world.say("oa:lin", "我住在杭州")
    await world.say("oa:lin", "/memory pin 1")
    await world.say("oa:lin", "我搬到成都了，现在住在成都")

    assert "1. 住在成都（固定）" in await world.say("oa:lin", "/memory")


async def test_a_number_that_is_not_there_changes_nothing(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")
    for command in ("/memory pin 2", "不要记 2", "/memory unpin 0"):
        assert "没有这一条" in await world.say("oa:lin", command)

    assert "花生" in await world.say("oa:lin", "/memory")


async def test_a_forbidden_fact_is_forgotten_and_not_learned_again_until_it_is_allowed(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")
    await world.say("oa:lin", "我住在杭州")
    await world.say("oa:lin", "不要记 2")
    await world.say("oa:lin", "我对花生过敏，对芒果过敏")
    shown = await world.say("oa:lin", "/memory")
    assert ("对花生过敏" in shown, "芒果" in shown, "杭州" in shown) == (False, True, True)
    assert "花生" not in "".join(await world.recalled("oa:lin", "我对什么过敏"))
    await world.say("oa:lin", "/memory allow")
    await world.say("oa:lin", "我对花生过敏")

    assert "对花生过敏" in await world.say("oa:lin", "/memory")


async def test_a_kind_of_fact_is_forbidden_by_its_name_on_all_channels(world: World) -> None:
    await world.say("oa:lin", "我的手机号是13812345678")
    await world.say("web:v", f"/link {await world.code('oa:lin')}")
    assert "手机" in await world.say("web:v", "不要记我的手机号")
    await world.say("oa:lin", "手机 13987654321")

    assert "139" not in await world.say("oa:lin", "/memory")
    assert "138" not in await world.say("web:v", "/memory")


async def test_a_ban_made_in_private_is_not_shown_in_a_group(world: World) -> None:
    await world.say("oa:lin", "/memory forbid 离婚")

    assert "离婚" in await world.say("oa:lin", "/memory")
    assert "离婚" not in await world.say("oa:lin", "/memory", group="room")


async def test_what_was_told_for_a_time_ends_and_what_was_before_holds_again(world: World) -> None:
    await world.say("oa:lin", "我住在杭州")
    await world.say("oa:lin", "我接下来三天都住在上海")
    assert "住在上海" in await world.say("oa:lin", "/memory")
    world.now += timedelta(days=5)
    shown = await world.say("oa:lin", "/memory")

    assert ("上海" in shown, "住在杭州" in shown) == (False, True)
    assert "上海" not in "".join(await world.recalled("oa:lin", "我住在哪里"))


async def test_what_was_taken_back_does_not_hold_and_the_value_before_it_does_not_return(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")
    await world.say("oa:lin", "我住在上海")
    await world.say("oa:lin", "我住在杭州")
    await world.say("oa:lin", "我现在对花生不过敏了")
    await world.say("oa:lin", "我不住杭州了")
    shown = await world.say("oa:lin", "/memory")

    assert [word for word in ("花生", "杭州", "上海") if word in shown] == []


async def test_a_taste_that_changed_is_not_listed_twice(world: World) -> None:
    await world.say("oa:lin", "我喜欢香菜")
    await world.say("oa:lin", "我不喜欢香菜")
    shown = await world.say("oa:lin", "/memory")

    assert ("不喜欢香菜" in shown, ". 喜欢香菜" in shown) == (True, False)


async def test_wishes_are_exported_erased_and_noted_without_their_words(world: World) -> None:
    await world.say("oa:lin", "/memory forbid 薰衣草")
    person = await world.store.read(lambda c: privacy.find(c, "oa", "oa:lin"))
    assert person is not None
    kept = await world.store.read(lambda c: privacy.export(c, person))
    assert [row["value"] for row in kept["bans"]] == ["薰衣草"]
    await world.store.write(lambda c: privacy.erase(c, person, by="operator", now=world.now))

    assert await world.store.read(lambda c: privacy.export(c, person)) == {
        "person": person,
        **{name: [] for name in kept if name != "person"},
    }
    assert await world.store.read(audit.broken) is None
