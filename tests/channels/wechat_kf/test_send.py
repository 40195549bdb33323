"""Answers go out by send_msg, where the session is ours."""

import asyncio
import re
from dataclasses import replace

import pytest
from wechatpy.enterprise import WeChatClient
from wechatpy.enterprise.crypto import WeChatCrypto
from wechatpy.exceptions import WeChatClientException

from channels.kit import xml
from channels.wechat_kf.channel import msgid
from hub.errors import Blocked, Closed, DeliveryError, Faulty, Impossible
from hub.message import Receipt
from tests.channels.callback import serving
from tests.channels.wechat_kf.conftest import CORP, CUSTOMER, DESK, KEY, SECRET, TOKEN, Make, World, said

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


async def test_wechatpy_takes_the_simulator_for_customer_service(make: Make) -> None:
    """It knows no calls of customer service, but the errors and the form of all calls; and the bell."""
    world = await ready(make)
    client = WeChatClient(CORP, SECRET, access_token=world.service.tokens.give(fresh=False)["access_token"])
    client.API_BASE_URL = f"{world.service.url}/cgi-bin/"
    said = {"touser": CUSTOMER, "open_kfid": DESK, "msgtype": "text", "text": {"content": "在的"}}
    done = await asyncio.to_thread(client.post, "kf/send_msg", data=said)
    page = await asyncio.to_thread(client.post, "kf/sync_msg", data={"open_kfid": DESK, "cursor": ""})
    with pytest.raises(WeChatClientException) as refused:
        await asyncio.to_thread(client.post, "kf/send_msg", data={**said, "touser": "wmNOBODY"})
    bell = xml.fields({"ToUserName": CORP, "MsgType": "event", "Event": "kf_msg_or_event", "OpenKfId": DESK})
    query, body = world.account.signed(bell)
    crypto = WeChatCrypto(TOKEN, KEY, CORP)
    opened = crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])

    assert (done["errcode"], world.service.sent) == (0, [(DESK, CUSTOMER, "在的")])
    assert [entry["text"]["content"] for entry in page["msg_list"]] == ["你好"]
    assert refused.value.errcode == 95002
    assert opened == bell.decode()


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
