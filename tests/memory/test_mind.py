"""One person on several channels: linked by codes and evidence, parted again, never anybody else; forgotten."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from hub.message import Conversation, InboundMessage, Text
from hub.person import Evidence, Identity
from hub.turn import Answer
from memory import audit, linking, privacy
from memory.store import open_store
from memory.tables import audit as audit_table
from tests.hub.stage import migrated
from tests.memory.world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    await asyncio.to_thread(migrated, tmp_path)
    async with open_store("", tmp_path) as store:
        yield World(store)


async def test_a_code_joins_and_unlink_gives_each_side_its_own_back(world: World) -> None:
    await world.say("oa:lin", "我叫小林,对花生过敏")
    await world.say("web:v", "我住在杭州西湖边")
    code = await world.code("oa:lin")
    assert "成功" in await world.say("web:v", f"/link {code}")
    assert "花生" in await world.seen("web:v")
    assert "西湖" in await world.seen("oa:lin")
    await world.say("web:v", "我的孩子叫豆豆")
    await world.say("web:v", "/unlink")

    web, oa = await world.seen("web:v"), await world.seen("oa:lin")
    assert ("花生" in web, "西湖" in web, "豆豆" in web) == (False, True, True)
    assert ("花生" in oa, "西湖" in oa, "豆豆" in oa) == (True, False, False)


async def test_the_side_that_gave_the_code_is_told_and_can_undo_it(world: World) -> None:
    code = await world.code("oa:lin")
    await world.say("web:thief", f"/link {code}")
    assert "/unlink" in world.told[0][1]
    await world.say("oa:lin", "/unlink")
    await world.say("oa:lin", "我的暗号是琥珀色")

    assert "琥珀" not in await world.seen("web:thief")


async def test_a_code_works_once_for_ten_minutes_and_not_for_its_giver(world: World) -> None:
    code = await world.code("oa:lin")
    assert "成功" not in await world.say("oa:lin", f"/link {code}")
    assert "成功" in await world.say("web:v", f"/link {code.lower()}")
    assert "成功" not in await world.say("web:w", f"/link {code}")
    late = await world.code("oa:lin")
    world.now += timedelta(minutes=10, seconds=1)

    assert "成功" not in await world.say("web:w", f"/link {late}")


async def test_after_five_wrong_codes_even_a_right_one_is_refused_for_a_while(world: World) -> None:
    for n in range(5):
        await world.say("web:guesser", f"/link WRONG{n:03d}")
    code = await world.code("oa:lin")
    assert "成功" not in await world.say("web:guesser", f"/link {code}")
    world.now += timedelta(minutes=10, seconds=1)
    code = await world.code("oa:lin")

    assert "成功" in await world.say("web:guesser", f"/link {code}")


async def test_the_same_unionid_is_the_same_person_and_another_is_not(world: World) -> None:
    same, other = (Evidence("unionid", "u1"),), (Evidence("unionid", "u2"),)
    await world.say("oa:lin", "我对花生过敏", proof=same)
    await world.say("wecom:lin", "你好", proof=same)
    await world.say("wecom:stranger", "你好", proof=other)

    assert "花生" in await world.seen("wecom:lin")
    assert "花生" not in await world.seen("wecom:stranger")


async def test_whoever_parted_is_not_joined_again_by_the_same_evidence(world: World) -> None:
    same = (Evidence("unionid", "u1"),)
    await world.say("oa:lin", "我对花生过敏", proof=same)
    await world.say("wecom:lin", "你好", proof=same)
    await world.say("wecom:lin", "/unlink")
    await world.say("wecom:lin", "你好", proof=same)

    assert "花生" not in await world.seen("wecom:lin")


async def test_evidence_that_the_operator_does_not_trust_joins_nobody(world: World) -> None:
    for who in ("feishu:a", "dingtalk:b"):
        await world.say(who, "我的暗号是琥珀色" if who == "feishu:a" else "你好", proof=(Evidence("email", "a@b.cn"),))

    assert "琥珀" not in await world.seen("dingtalk:b")


async def test_a_private_fact_never_surfaces_in_a_group_nor_a_groups_in_private(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")
    await world.say("oa:lin", "我叫小林", group="room")

    assert "花生" not in await world.seen("oa:lin", group="room")
    assert "小林" not in await world.seen("oa:lin")


async def test_a_new_value_takes_the_place_of_the_old_and_both_are_kept(world: World) -> None:
    await world.say("oa:lin", "我的地址是上海市长宁路一号")
    world.now += timedelta(days=1)
    await world.say("oa:lin", "我的地址是杭州市文三路二号")
    shown = await world.say("oa:lin", "/memory")

    assert "文三路" in shown
    assert "长宁路" not in shown


async def test_memory_shows_what_is_known_to_nobody_else(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")

    assert "花生" in await world.say("oa:lin", "我的记忆")
    assert "花生" not in await world.say("oa:other", "/memory")


async def test_forget_erases_only_after_its_confirmation(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")
    question = await world.say("oa:lin", "/forget")
    assert "花生" in await world.seen("oa:lin")
    confirmation = question.split("「")[1].split("」")[0]
    await world.say("oa:lin", confirmation)

    assert "花生" not in await world.seen("oa:lin")
    assert "花生" not in await world.say("oa:lin", "/memory")
    assert await world.say("oa:lin", confirmation) == "ok"


async def test_a_confirmation_by_itself_erases_nothing(world: World) -> None:
    await world.say("oa:lin", "我对花生过敏")

    assert await world.say("oa:lin", "确认忘记") == "ok"
    assert "花生" in await world.seen("oa:lin")


async def test_an_erased_person_leaves_no_byte_and_a_late_redelivery_does_not_bring_them_back(
    world: World, tmp_path: Path
) -> None:
    await world.say("oa:lin", "我的口令是薰衣草甲壳虫")
    await world.say("oa:other", "邻居的翡翠算盘")
    first = InboundMessage(
        "k1", Conversation("oa", "acc", "oa:lin"), Identity("oa", "acc", "oa:lin"), (Text("我的口令是薰衣草甲壳虫"),)
    )
    person = await world.store.read(lambda c: privacy.find(c, "oa", "oa:lin"))
    assert person is not None
    await world.store.write(lambda c: privacy.erase(c, person, by="operator", now=world.now))
    await world.store.scrub()
    again = await world.journal.accept(first, now=world.now)

    assert (again.fresh, again.open) == (False, False)
    held = await asyncio.to_thread(_bytes, tmp_path)
    assert "薰衣草".encode() not in held
    assert b"oa:lin" not in held
    assert "翡翠".encode() in held


def _bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_an_export_holds_both_channels_and_nothing_of_others(world: World) -> None:
    await world.say("oa:lin", "我的口令是薰衣草")
    await world.say("web:v", f"/link {await world.code('oa:lin')}")
    await world.say("web:v", "火龙果拼图")
    await world.say("oa:other", "翡翠算盘")
    person = await world.store.read(lambda c: privacy.find(c, "oa", "oa:lin"))
    assert person is not None
    kept = str(await world.store.read(lambda c: privacy.export(c, person)))

    assert "薰衣草" in kept
    assert "火龙果" in kept
    assert "翡翠" not in kept


async def test_asked_for_a_person_the_agent_is_silent_until_handed_back(world: World) -> None:
    await world.say("oa:lin", "转人工")
    assert await world.say("oa:lin", "在吗") == ""
    await world.store.write(lambda c: c.execute(text("UPDATE conversations SET handed = ''")))

    assert await world.say("oa:lin", "在吗") == "ok"


async def test_whoever_was_not_answered_twice_in_a_row_is_offered_a_person(world: World) -> None:
    refused = Answer("不知道", engine="scripted", refused=True)
    first = await world.turn("oa:lin", "甲", agent=refused)
    second = await world.turn("oa:lin", "乙", agent=refused)
    await world.say("oa:lin", "丙")
    third = await world.turn("oa:lin", "丁", agent=refused)
    other = await world.turn("oa:other", "甲", agent=refused)

    assert [choice.value for choice in second.choices] == ["转人工"]
    assert (first.choices, third.choices, other.choices) == ((), (), ())


async def test_the_audit_log_shows_what_was_changed_in_it(world: World) -> None:
    code = await world.code("oa:lin")
    await world.say("web:v", f"/link {code}")
    await world.say("web:v", "/unlink")
    assert await world.store.read(audit.broken) is None
    acts = await world.store.read(lambda c: c.execute(select(audit_table.c.act)).scalars().all())
    await world.store.write(lambda c: c.execute(text("UPDATE audit SET subject = 'person 9' WHERE id = 1")))

    assert list(acts) == ["join", "part"]
    assert await world.store.read(audit.broken) == 1


async def test_rows_cut_off_at_the_end_of_the_audit_log_show_by_a_digest_that_was_noted(world: World) -> None:
    code = await world.code("oa:lin")
    await world.say("web:v", f"/link {code}")
    joined = await world.store.read(audit.last)
    await world.say("web:v", "/unlink")
    parted = await world.store.read(audit.last)
    assert (joined.rows, parted.rows) == (1, 2)
    assert await world.store.read(lambda c: audit.holds(c, joined.digest) and audit.holds(c, parted.digest))
    await world.store.write(lambda c: c.execute(text("DELETE FROM audit WHERE id = 2")))

    assert await world.store.read(audit.broken) is None
    assert await world.store.read(audit.last) == joined
    assert not await world.store.read(lambda c: audit.holds(c, parted.digest))


# -- whatever happens, in whatever order

WHO = ("oa:a", "web:b", "wecom:c", "h5:d")
ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.sampled_from(WHO)),
        st.tuples(st.just("link"), st.sampled_from(WHO), st.sampled_from(WHO)),
        st.tuples(st.just("unlink"), st.sampled_from(WHO)),
        st.tuples(st.just("forget"), st.sampled_from(WHO)),
    ),
    max_size=14,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ACTS)
def test_no_person_is_ever_shown_anothers_words(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, ...]]
) -> None:
    asyncio.run(_play(tmp_path_factory.mktemp("world"), acts))


async def _play(folder: Path, acts: list[tuple[str, ...]]) -> None:  # noqa: C901 — one case an act
    """A model of who is who beside the real one: sets of identities, and what each said."""
    migrated(folder)
    circles = {who: frozenset({who}) for who in WHO}
    words: dict[str, list[str]] = {who: [] for who in WHO}
    async with open_store("", folder) as store:
        world = World(store)
        for who in WHO:
            await world.say(who, "你好")
        for number, act in enumerate(acts):
            world.now += timedelta(minutes=11)
            who = act[1]
            match act[0]:
                case "say":
                    words[who].append(f"暗语{number:04d}号")
                    await world.say(who, f"请记住{words[who][-1]}")
                case "link":
                    code = await world.code(act[2])
                    if "成功" in await world.say(who, f"/link {code}"):
                        both = circles[who] | circles[act[2]]
                        circles.update(dict.fromkeys(both, both))
                case "unlink":
                    if "已解除" in await world.say(who, "/unlink"):
                        circles = await _circles(world)
                case _:
                    question = await world.say(who, "/forget")
                    await world.say(who, question.split("「")[1].split("」")[0])
                    for mate in circles[who]:
                        words[mate].clear()
        assert circles == await _circles(world)
        for who in WHO:
            seen = await world.seen(who)
            expected = {word for mate in circles[who] for word in words[mate]}
            assert set(_all(seen)) == expected


def _all(seen: str) -> set[str]:
    import re

    return set(re.findall(r"暗语\d{4}号", seen))


async def _circles(world: World) -> dict[str, frozenset[str]]:
    persons = await world.store.read(lambda c: {who: privacy.find(c, who.split(":")[0], who) for who in WHO})
    return {who: frozenset(w for w in WHO if persons[w] == persons[who]) for who in WHO}


def test_codes_have_no_letters_that_are_mistaken_for_one_another() -> None:
    assert not set("01OIL") & set(linking.ALPHABET)
