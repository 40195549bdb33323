"""People are joined by what platforms and directories vouch for, and never two whose verified ids differ."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from structlog.testing import capture_logs

from hub.person import Evidence
from memory import linking
from memory.store import Store, open_store
from memory.tables import audit as log
from memory.tables import evidence, identities, link_tries
from memory.vouched import JOINING
from tests.hub.stage import migrated
from tests.memory.world import World

EMAIL, OTHER = Evidence("email", "ming@corp.com"), Evidence("email", "hong@corp.com")
DESK = Evidence("mobile", "13812340001")


@pytest.fixture
def world(store: Store) -> World:
    return World(store, trusted=frozenset({"email", "mobile"}))


async def meet(world: World, who: str, *vouched: Evidence) -> int:
    stored = await world.accept(who, "你好", vouched=vouched)
    await world.close(stored)
    return stored.person.id


async def test_a_member_is_known_on_another_platform_by_the_directory(world: World) -> None:
    await world.say("feishu:ou_1", "我对花生过敏")
    ming = await meet(world, "feishu:ou_1", EMAIL, DESK)

    assert await meet(world, "dingtalk:d1", EMAIL) == ming
    assert await meet(world, "wecom:w1", OTHER) != ming
    assert "花生" in await world.seen("dingtalk:d1")


async def test_a_shared_mobile_joins_nobody_whose_address_differs(world: World) -> None:
    ming = await meet(world, "feishu:ou_1", EMAIL, DESK)

    assert await meet(world, "dingtalk:d2", OTHER, DESK) != ming


async def test_two_members_of_one_directory_are_two_people_whatever_they_share(world: World) -> None:
    ming = await meet(world, "wecom:w1", DESK)

    assert await meet(world, "wecom:w2", DESK) != ming


async def test_where_the_first_does_not_fit_the_second_may(world: World) -> None:
    await meet(world, "feishu:ou_1", OTHER, DESK)
    ming = await meet(world, "wecom:w1", EMAIL)

    assert await meet(world, "dingtalk:d1", EMAIL, DESK) == ming


async def test_a_directory_that_is_not_trusted_joins_nobody(store: Store) -> None:
    careful = World(store)
    ming = await meet(careful, "feishu:ou_1", EMAIL)

    assert await meet(careful, "dingtalk:d1", EMAIL) != ming


# -- what is learned later


async def test_a_verified_id_that_comes_later_and_contradicts_parts_them_again(world: World) -> None:
    await world.say("feishu:ou_1", "我对花生过敏")
    ming = await meet(world, "feishu:ou_1", EMAIL, DESK)
    assert await meet(world, "dingtalk:d1", DESK) == ming
    await world.say("dingtalk:d1", "我的暗号是琥珀色")
    other = await meet(world, "dingtalk:d1", OTHER, DESK)

    assert other != await meet(world, "feishu:ou_1", EMAIL, DESK)
    feishu, dingtalk = await world.seen("feishu:ou_1"), await world.seen("dingtalk:d1")
    assert ("花生" in feishu, "琥珀" in feishu) == (True, False)
    assert ("花生" in dingtalk, "琥珀" in dingtalk) == (False, True)
    assert [text for _, text in world.told if "不属于同一个人" in text] == [world.told[0][1]] * 2
    acts = await world.store.read(lambda c: [tuple(row) for row in c.execute(select(log.c.act, log.c.detail))])
    assert acts[-1] == ("part", "verified ids differ: email")


async def test_those_whose_ids_agree_are_joined_again_and_the_stranger_is_not(world: World) -> None:
    ming = await meet(world, "feishu:ou_1", EMAIL, DESK)
    for who in ("dingtalk:d1", "wecom:w1"):
        assert await meet(world, who, DESK) == ming
    stranger = await meet(world, "wecom:w1", OTHER, DESK)
    again = await meet(world, "dingtalk:d1", EMAIL, DESK)

    assert again == await meet(world, "feishu:ou_1", EMAIL, DESK)
    assert again not in (stranger, await meet(world, "wecom:w1", OTHER, DESK))


async def test_a_number_that_was_given_to_somebody_else_joins_nobody_to_who_had_it_before(world: World) -> None:
    ming = await meet(world, "feishu:ou_1", DESK)
    await meet(world, "feishu:ou_1", Evidence("mobile", "13999990000"))

    assert await meet(world, "dingtalk:d9", DESK) != ming


async def test_a_code_said_after_both_ids_were_known_stands_above_them(world: World) -> None:
    await meet(world, "feishu:ou_1", EMAIL)
    await meet(world, "dingtalk:d1", OTHER)
    await world.say("dingtalk:d1", f"/link {await world.code('feishu:ou_1')}")

    assert await meet(world, "dingtalk:d1", OTHER) == await meet(world, "feishu:ou_1", EMAIL)
    world.now += timedelta(minutes=1)
    assert await meet(world, "dingtalk:d1", Evidence("email", "third@corp.com")) != await meet(world, "feishu:ou_1")


async def test_whoever_parted_is_joined_by_evidence_from_neither_side(world: World) -> None:
    await meet(world, "feishu:ou_1", EMAIL)
    await meet(world, "dingtalk:d1", EMAIL)
    await world.say("dingtalk:d1", "/unlink")

    assert await meet(world, "feishu:ou_1", EMAIL) != await meet(world, "dingtalk:d1", EMAIL)


async def test_the_side_that_gave_a_code_undoes_it_for_all_of_its_accounts(world: World) -> None:
    await world.say("wecom:lin", f"/link {await world.code('oa:lin')}")
    await world.say("wecom:lin", "我的暗号是琥珀色")
    await world.say("web:thief", f"/link {await world.code('oa:lin')}")
    assert "再说一次" in await world.say("oa:lin", "/unlink")

    assert "琥珀" not in await world.seen("web:thief")
    assert "琥珀" in await world.seen("oa:lin")
    await world.say("oa:lin", "/unlink")
    assert "琥珀" not in await world.seen("oa:lin")


async def guess(world: World, identities: int) -> None:
    """New visitors of a page say wrong codes, each as many as one may."""
    for n in range(identities):
        for _ in range(linking.MOST_WRONG):
            await world.say(f"web:guesser{world.count}-{n}", "/link WRNG2345")


async def test_many_who_guess_together_find_no_code_that_is_short(world: World) -> None:
    short = await world.code("oa:lin")
    with capture_logs() as log:
        await guess(world, linking.MOST_WRONG_OF_ALL // linking.MOST_WRONG)
    assert "成功" not in await world.say("web:v", f"/link {short}")
    assert [line["log_level"] for line in log if "wrong codes" in line["event"]] == ["warning"]


async def test_whoever_links_while_others_guess_is_linked_with_a_new_code(world: World) -> None:
    await guess(world, linking.MOST_WRONG_OF_ALL // linking.MOST_WRONG)
    long = await world.code("oa:lin")
    assert len(long) == linking.LONG
    assert "成功" in await world.say("web:v", f"/link {long}")


async def test_codes_are_short_again_when_the_guessing_is_over(world: World) -> None:
    await guess(world, linking.MOST_WRONG_OF_ALL // linking.MOST_WRONG)
    long = await world.code("oa:lin")
    world.now += linking.LOCKED
    short = await world.code("wecom:lin")
    assert (len(short), "成功" in await world.say("web:v", f"/link {short}")) == (linking.LENGTH, True)
    assert "成功" in await world.say("web:w", f"/link {long}")


async def test_fewer_wrong_codes_of_many_change_nothing(world: World) -> None:
    for n in range(linking.MOST_WRONG_OF_ALL - 1):
        await world.say(f"web:clumsy{n}", "/link WRNG2345")
    assert "成功" in await world.say("web:v", f"/link {await world.code('oa:lin')}")


async def test_wrong_codes_of_long_ago_are_not_kept(world: World) -> None:
    await guess(world, 10)
    world.now += linking.LOCKED
    for n in range(5):
        await world.say(f"web:later{n}", "/link WRNG2345")
    assert await world.store.read(lambda c: c.execute(select(func.count()).select_from(link_tries)).scalar_one()) == 5


async def test_the_side_that_gave_a_code_is_told_in_its_own_language(world: World) -> None:
    await world.say("oa:lin", "Please tell me when you open on Sunday morning")
    await world.say("web:v", "请问你们周日几点开门")
    code = (await world.say("oa:lin", "/link")).split("/link ")[1].split()[0]
    await world.say("web:v", f"/link {code}")

    assert world.told[-1][1].startswith("Your account was just linked")


async def test_two_who_use_a_code_at_once_are_not_both_joined(world: World) -> None:
    code = await world.code("oa:lin")
    said = await asyncio.gather(*(world.say(f"web:v{n}", f"/link {code}") for n in range(6)))

    assert len([one for one in said if "成功" in one]) == 1


async def test_ids_that_only_look_alike_are_different_people(world: World) -> None:
    lin = await meet(world, "oa:Lin")
    alike = ["oa:lin", "oa:Lin ", "oa:Ｌin", "oa:L\u0131n", "oa:Lin\u200b", "oa:" + "L" * 4000]

    assert len({lin, *[await meet(world, who) for who in alike]}) == 7


async def test_in_a_group_nobody_is_given_a_code_that_all_could_use(world: World) -> None:
    said = await world.say("feishu:ou_1", "/link", group="room")

    assert "私下" in said
    assert "10 分钟" not in said


# -- whatever directories say

SEEN = st.tuples(
    st.sampled_from(["feishu:1", "feishu:2", "dingtalk:1", "dingtalk:2", "wecom:1", "oa:1"]),
    st.sets(
        st.builds(Evidence, st.sampled_from(["email", "mobile", "unionid"]), st.sampled_from(["a", "b"])), max_size=2
    ),
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(SEEN, max_size=10))
def test_two_people_with_different_verified_ids_are_never_joined(
    tmp_path_factory: pytest.TempPathFactory, seen: list[tuple[str, set[Evidence]]]
) -> None:
    asyncio.run(_play(tmp_path_factory.mktemp("world"), seen))


async def _play(folder: Path, seen: list[tuple[str, set[Evidence]]]) -> None:
    """Ids are learned late, and change; a platform tells one value of a kind at a time."""
    migrated(folder)
    async with open_store("", folder) as store:
        world = World(store, trusted=JOINING)
        for who, vouched in seen:
            one_of_a_kind = {proof.kind: proof for proof in sorted(vouched, key=repr)}
            await meet(world, who, *one_of_a_kind.values())
        query = select(identities.c.person_id, identities.c.channel, evidence.c.kind, evidence.c.value).join(
            evidence, evidence.c.identity_id == identities.c.id, isouter=True
        )
        rows = await store.read(lambda connection: connection.execute(query).all())
    held: dict[tuple[int, str], set[str]] = {}
    for row in rows:
        if row.kind:
            held.setdefault((row.person_id, row.kind), set()).add(row.value)
    people = await _people(folder)
    assert [values for values in held.values() if len(values) > 1] == []
    assert len(set(people)) == len(people)


async def _people(folder: Path) -> list[tuple[int, str]]:
    """(person, platform) of every identity: nobody is two members of one directory."""
    async with open_store("", folder) as store:
        query = select(identities.c.person_id, identities.c.channel)
        return [tuple(row) for row in await store.read(lambda connection: connection.execute(query).all())]
