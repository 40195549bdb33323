"""The UnionID of a follower, where the operator wants it asked for."""

import asyncio

from channels.simulators.pushes import push
from channels.simulators.wechat_oa import message
from channels.wechat_oa import followers
from hub.person import Evidence
from tests.channels.callback import AT
from tests.channels.wechat_oa.conftest import OPENID, Make, World

INFO = "user/info"


async def evidence(world: World, openid: str = OPENID) -> tuple[Evidence, ...]:
    """What comes with one message of the follower."""
    await push(world.http, world.account, message(openid, at=AT, Content="你好"), openid)
    return world.inbox.messages[-1].evidence


async def test_a_unionid_comes_with_the_message_and_is_asked_for_once(make: Make) -> None:
    world = await make(push=True, answer_within=0.01, identify=True)
    world.wechat.unionids[OPENID] = "the-unionid"

    assert [await evidence(world) for _ in range(3)] == [(Evidence("unionid", "the-unionid"),)] * 3
    assert len(world.wechat.of(INFO)) == 1
    assert await evidence(world, "oOTHER") == ()


async def test_nobody_is_asked_about_unless_the_operator_says_so(make: Make) -> None:
    world = await make(push=True, answer_within=0.01)

    assert await evidence(world) == ()
    assert world.wechat.calls == []


async def test_events_that_say_nothing_need_no_unionid(make: Make) -> None:
    world = await make(identify=True)
    await push(world.http, world.account, message(OPENID, "event", at=AT, Event="VIEW"), OPENID)

    assert world.wechat.calls == []


async def test_a_message_is_not_kept_long_and_the_follower_is_asked_about_again(make: Make) -> None:
    world = await make(push=True, answer_within=0.01, identify=True, identify_within=0.05)
    world.wechat.unionids[OPENID] = "the-unionid"
    world.wechat.delay = 0.3
    assert await evidence(world) == ()

    world.wechat.delay = 0.0
    await asyncio.sleep(0.35)
    assert await evidence(world) == (Evidence("unionid", "the-unionid"),)


async def test_a_fault_is_no_answer_and_an_account_that_may_not_ask_asks_once(make: Make) -> None:
    world = await make(push=True, answer_within=0.01, identify=True)
    world.wechat.refuse(INFO, -1, times=1)
    world.wechat.refuse(INFO, 48001)

    assert [await evidence(world) for _ in range(4)] == [()] * 4
    assert len(world.wechat.of(INFO)) == 2


async def test_those_who_were_asked_about_longest_ago_are_forgotten() -> None:
    asked: list[str] = []

    async def ask(openid: str) -> str:
        asked.append(openid)
        return ""

    known = followers.Followers(ask, within=1)
    for openid in [str(number) for number in range(followers.KNOWN + 1)] + ["0"]:
        await known.evidence(openid)

    assert (asked[0], asked[-1], len(asked)) == ("0", "0", followers.KNOWN + 2)
