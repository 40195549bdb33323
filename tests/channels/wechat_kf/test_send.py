"""Answers go out by send_msg, where the session is ours."""

import re
from dataclasses import replace

import pytest

from channels.wechat_kf.channel import msgid
from hub.errors import Blocked, Closed, DeliveryError, Faulty, Impossible
from hub.message import Receipt
from tests.channels.callback import serving
from tests.channels.wechat_kf.conftest import CUSTOMER, DESK, Make, World, said

SEND, STATE = "kf/send_msg", "kf/service_state/get"


async def ready(make: Make) -> World:
    world = await make()
    await world.fetch([said("你好")])
    return world


async def refused(world: World, text: str = "你好") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await world.channel.send(world.outbound(text))
    return caught.value


async def test_a_text_goes_to_the_customer_from_the_desk_that_was_asked(make: Make) -> None:
    world = await ready(make)
    message = world.outbound("九点\0。")
    receipt = await world.channel.send(message)

    assert receipt == Receipt(msgid(message))
    assert world.service.of(SEND)[0].body == {
        "touser": CUSTOMER,
        "open_kfid": DESK,
        "msgid": msgid(message),
        "msgtype": "text",
        "text": {"content": "九点。"},
    }
    assert "九点".encode() in world.service.of(SEND)[0].raw


async def test_the_same_message_at_a_second_try_is_shown_once(make: Make) -> None:
    world = await ready(make)
    for retry in (False, True):
        await world.channel.send(world.outbound("九点", retry=retry))

    assert world.service.sent == [(DESK, CUSTOMER, "九点")]


async def test_the_id_of_a_message_fits_and_is_its_own(make: Make) -> None:
    world = await make()
    ids = {msgid(world.outbound("x", id=number, turn=turn)) for number in range(50) for turn in ("a", "b")}

    assert len(ids) == 100
    assert all(re.fullmatch(r"[0-9a-zA-Z_-]{1,32}", each) for each in ids)


async def test_the_sixth_message_is_kept_without_asking(make: Make) -> None:
    world = await ready(make)
    for number in range(5):
        await world.channel.send(world.outbound(f"第{number}条", id=number))
    assert isinstance(await refused(world), Closed)
    assert len(world.service.of(SEND)) == 5

    await world.fetch([said("继续")])
    await world.channel.send(world.outbound("第5条", id=9))
    assert len(world.service.sent) == 6


async def test_what_was_said_when_a_person_took_over_is_void(make: Make) -> None:
    world = await ready(make)
    world.service.states[DESK, CUSTOMER] = 3
    error = await refused(world)

    assert (type(error), error.code) == (Impossible, "95018")
    assert len(world.service.of(SEND)) == 1


async def test_what_came_after_the_session_ended_waits_for_the_next(make: Make) -> None:
    world = await ready(make)
    world.service.states[DESK, CUSTOMER] = 4

    assert isinstance(await refused(world), Closed)


async def test_where_wecom_does_not_say_whose_session_it_is_the_message_is_tried_again(make: Make) -> None:
    world = await ready(make)
    world.service.states[DESK, CUSTOMER] = 3
    world.service.refuse(STATE, -1)

    assert isinstance(await refused(world), Faulty)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1, Faulty),
        (45009, Faulty),
        (42001, Faulty),
        (95001, Closed),
        (95002, Closed),
        (95013, Closed),
        (95000, Impossible),
        (45002, Impossible),
        (60020, Blocked),
        (95017, Blocked),
    ],
)
async def test_every_code_says_what_is_next(make: Make, code: int, kind: type[DeliveryError]) -> None:
    world = await ready(make)
    world.service.refuse(SEND, code)

    assert type(await refused(world)) is kind


async def test_a_text_of_nothing_is_not_sent(make: Make) -> None:
    world = await ready(make)

    assert isinstance(await refused(world, "\0 "), Impossible)
    assert world.service.of(SEND) == []


async def test_the_doctor_is_content_with_what_is_right_and_names_a_wrong_secret(make: Make) -> None:
    world = await ready(make)
    async with serving(world.channel.routes()) as url:
        world.channel.site = replace(world.channel.site, public_url=url)
        found = {f.setting: f.ok async for f in world.channel.doctor()}
    assert (found["corp_id, secret"], found["secret"], found["public_url"]) == (True, True, True)

    world.service.secret = "another"
    wrong = await anext(world.channel.doctor())
    assert (wrong.ok, "secret is wrong" in wrong.advice) == (False, True)
