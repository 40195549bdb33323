"""The agent leaves a customer to WeCom's people: after its last word, once, and whatever happens in between."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from channels.kit.connection import Backoff
from channels.simulators.wechat_kf import event
from channels.wechat_kf.leaving import NOTE, Leaving
from hub.errors import Closed, Faulty, Impossible, NotStored
from tests.channels.callback import AT, until
from tests.channels.wechat_kf.conftest import CUSTOMER, DESK, Make, World, said
from tests.fakes import FakeRecord

SEND, MOVE = "kf/send_msg", "kf/service_state/trans"
KEY = (DESK, CUSTOMER)


async def ready(make: Make) -> World:
    """A customer has asked, and the agent's turn t1 ends with a hand-over."""
    world = await make()
    world.channel._leaving._backoff = Backoff(first=0.01, most=0.01)
    await world.fetch([said("我要投诉")])
    await world.channel.hand_over(world.inbox.messages[0], "t1")
    return world


async def restarted(make: Make, world: World) -> World:
    """The hub died, and begins again with what was on disk."""
    await world.channel.close()
    after = await make(record=world.record, service=world.service)
    after.channel._leaving._backoff = Backoff(first=0.01, most=0.01)
    after.channel._leaving._grace = 0.01
    return after


def noted(record: FakeRecord) -> list[object]:
    found: list[object] = json.loads(record.notes.get(NOTE, "[]"))
    return found


async def gone(world: World) -> None:
    """Returns once nothing is left to do."""
    await until(lambda: not noted(world.record))


async def test_the_session_moves_after_the_last_part_of_the_reply(make: Make) -> None:
    world = await ready(make)
    await world.channel.send(world.outbound("为您转接", turn="t1", last=False))
    assert (world.service.of(MOVE), len(noted(world.record))) == ([], 1)
    await world.channel.send(world.outbound("请稍候", id=8, turn="t1"))
    await gone(world)

    assert world.service.states[KEY] == 2
    assert [text for _, _, text in world.service.sent] == ["为您转接", "请稍候"]


async def test_a_reply_that_is_sent_after_a_crash_moves_the_session_all_the_same(make: Make) -> None:
    world = await restarted(make, await ready(make))
    await world.channel.send(world.outbound("请稍候", turn="t1", retry=True))
    await gone(world)

    assert world.service.states[KEY] == 2


async def test_a_move_that_a_crash_cut_off_is_made_after_the_start(make: Make) -> None:
    world = await ready(make)
    world.service.refuse(MOVE, -1)
    await world.channel.send(world.outbound("请稍候", turn="t1"))
    await until(lambda: bool(world.service.of(MOVE)))
    after = await restarted(make, world)
    world.service.faults.clear()
    await after.channel.run()
    await gone(after)

    assert world.service.states[KEY] == 2


async def test_a_customer_whose_reply_was_lost_is_moved_without_it(make: Make) -> None:
    world = await restarted(make, await ready(make))
    await world.channel.run()
    await gone(world)

    assert (world.service.states[KEY], world.service.sent) == (2, [])


@pytest.mark.parametrize(("code", "kind"), [(95001, Closed), (45002, Impossible)])
async def test_a_reply_that_wecom_refuses_keeps_nobody_from_people(
    make: Make, code: int, kind: type[Exception]
) -> None:
    world = await ready(make)
    world.service.refuse(SEND, code)
    with pytest.raises(kind):
        await world.channel.send(world.outbound("请稍候", turn="t1"))
    await gone(world)

    assert world.service.states[KEY] == 2


async def test_a_reply_that_is_tried_again_is_waited_for(make: Make) -> None:
    world = await ready(make)
    world.service.refuse(SEND, -1, times=1)
    with pytest.raises(Faulty):
        await world.channel.send(world.outbound("请稍候", turn="t1"))
    assert world.service.of(MOVE) == []
    await world.channel.send(world.outbound("请稍候", turn="t1"))
    await gone(world)

    assert world.service.states[KEY] == 2


@pytest.mark.parametrize("code", [-1, 60020, 42001])
async def test_a_move_is_tried_until_wecom_can(make: Make, code: int) -> None:
    world = await ready(make)
    world.service.refuse(MOVE, code, times=3)
    await world.channel.send(world.outbound("请稍候", turn="t1"))
    await gone(world)

    assert world.service.states[KEY] == 2


async def test_where_nobody_takes_the_session_the_reply_stays_sent_and_nothing_is_tried_again(make: Make) -> None:
    world = await ready(make)
    world.service.refuse(MOVE, 95016)
    await world.channel.send(world.outbound("请稍候", turn="t1"))
    await gone(world)
    await world.channel.send(world.outbound("好", id=9, turn="t2"))

    assert [text for _, _, text in world.service.sent] == ["请稍候", "好"]
    assert len(world.service.of(MOVE)) == 1


async def test_when_the_agent_speaks_again_the_session_stays(make: Make) -> None:
    world = await ready(make)
    world.service.refuse(MOVE, -1)
    await world.channel.send(world.outbound("请稍候", turn="t1"))
    await until(lambda: bool(world.service.of(MOVE)))
    await world.channel.send(world.outbound("接下来由智能助手为您解答", id=9, turn="t2"))

    assert noted(world.record) == []


async def test_a_session_that_ended_is_not_moved(make: Make) -> None:
    world = await ready(make)
    changed = {"open_kfid": DESK, "external_userid": CUSTOMER}
    await world.fetch([event("session_status_change", at=AT, change_type=3, **changed)])
    await world.channel.send(world.outbound("请稍候", turn="t1"))

    assert (world.service.of(MOVE), noted(world.record)) == ([], [])


async def test_an_intention_does_not_outlast_the_session(make: Make) -> None:
    world = await restarted(make, await ready(make))
    late = datetime.fromtimestamp(AT, UTC) + timedelta(hours=49)
    world.channel._leaving._clock = lambda: late
    await world.channel.run()
    await gone(world)

    assert world.service.of(MOVE) == []


async def test_a_full_disk_does_not_stop_a_hand_over(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make()
    await world.fetch([said("我要投诉")])

    async def full(key: str, value: str) -> None:
        raise NotStored

    monkeypatch.setattr(world.record, "keep_note", full)
    await world.channel.hand_over(world.inbox.messages[0], "t1")
    await world.channel.send(world.outbound("请稍候", turn="t1"))
    await until(lambda: world.service.states.get(KEY) == 2)


async def test_a_database_that_is_away_keeps_no_answer_back(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make()
    await world.fetch([said("我要投诉")])

    async def away(key: str) -> str:
        raise NotStored

    monkeypatch.setattr(world.record, "note", away)
    await world.channel.hand_over(world.inbox.messages[0], "t1")  # raises nothing


async def test_intentions_are_bounded(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.wechat_kf.leaving.KEPT", 3)
    world = await make()
    leaving: Leaving = world.channel._leaving
    for number in range(5):
        await leaving.intend((DESK, f"c{number}"), f"t{number}")

    assert [row[1] for row in noted(world.record)] == ["c2", "c3", "c4"]  # type: ignore[index]
