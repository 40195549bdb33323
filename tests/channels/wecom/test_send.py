"""Answers go out by message/send."""

import asyncio
from dataclasses import replace

import pytest
from wechatpy.enterprise import WeChatClient

from channels.simulators.cgi import OK, Fault
from hub.errors import Blocked, Closed, DeliveryError, Faulty, Impossible
from hub.message import Receipt
from tests.channels.callback import serving
from tests.channels.wecom.conftest import AGENT, CORP, MEMBER, SECRET, Make, World

SEND, TOKEN = "message/send", "gettoken"


async def refused(world: World, text: str = "你好", **more: object) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await world.channel.send(world.outbound(text, **more))
    return caught.value


async def test_a_text_goes_to_the_member_for_the_right_application(make: Make) -> None:
    world = await make()
    receipt = await world.channel.send(world.outbound("第一句\n👨‍👩‍👧\0"))

    assert isinstance(receipt, Receipt)
    assert receipt.id
    assert world.wecom.of(SEND)[0].body == {
        "touser": MEMBER,
        "agentid": AGENT,
        "msgtype": "text",
        "text": {"content": "第一句\n👨‍👩‍👧"},
    }
    assert "第一句".encode() in world.wecom.of(SEND)[0].raw


async def test_markdown_goes_as_markdown_where_it_is_switched_on(make: Make) -> None:
    world = await make(markdown=True)
    await world.channel.send(world.outbound("**粗**"))

    assert world.wecom.of(SEND)[0].body["markdown"] == {"content": "**粗**"}
    assert (world.channel.traits.markdown, world.channel.traits.citations) == (True, "links")


async def test_wechatpy_takes_the_simulator_for_wecom(make: Make) -> None:
    world = await make()
    client = WeChatClient(CORP, SECRET, access_token=world.wecom.tokens.give(fresh=False)["access_token"])
    client.API_BASE_URL = f"{world.wecom.url}/cgi-bin/"
    await asyncio.to_thread(client.message.send_text, AGENT, MEMBER, "你好")

    assert world.wecom.sent == [(MEMBER, "你好")]


async def test_thirty_messages_at_once_need_one_token(make: Make) -> None:
    world = await make()
    world.wecom.delay = 0.02
    await asyncio.gather(*(world.channel.send(world.outbound(f"第{n}条")) for n in range(30)))

    assert (len(world.wecom.of(TOKEN)), len(world.wecom.sent)) == (1, 30)


async def test_what_wecom_would_drop_without_a_word_waits_instead(make: Make) -> None:
    world = await make()
    for number in range(30):
        await world.channel.send(world.outbound(f"第{number}条"))
    error = await refused(world)

    assert isinstance(error, Faulty)
    assert 0 < (error.after or 0) <= 60
    assert (len(world.wecom.of(SEND)), len(world.wecom.sent)) == (30, 30)
    await world.channel.send(replace(world.outbound("你好"), recipient=replace(world.outbound("").recipient, user="B")))


async def test_a_message_that_may_have_arrived_is_not_shown_twice(make: Make) -> None:
    world = await make()
    await world.channel.send(world.outbound("你好"))
    await world.channel.send(world.outbound("你好", retry=True))
    assert world.wecom.sent == [(MEMBER, "你好")]

    await world.channel.send(world.outbound("你好"))
    assert len(world.wecom.sent) == 2


async def test_a_member_who_can_not_be_reached_is_not_written_to_again(make: Make) -> None:
    world = await make()
    world.wecom.gone = {MEMBER}

    assert isinstance(await refused(world), Impossible)


async def test_a_success_that_names_the_member_as_invalid_is_none(make: Make) -> None:
    """errcode is 0, and the id comes in lower case."""
    world = await make()
    world.wecom.faults.append(Fault(SEND, {**OK, "invaliduser": MEMBER.lower()}))

    assert isinstance(await refused(world), Impossible)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (-1, Faulty),
        (45009, Faulty),
        (45033, Faulty),
        (45002, Impossible),
        (81013, Impossible),
        (60020, Blocked),
        (60011, Blocked),
        (301002, Blocked),
        (40099, Impossible),
        (85999, Closed),
    ],
)
async def test_every_code_says_what_is_next(make: Make, code: int, kind: type[DeliveryError]) -> None:
    world = await make()
    world.wecom.refuse(SEND, code)

    assert type(await refused(world)) is kind
    assert len(world.wecom.of(SEND)) == 1


async def test_a_token_that_is_refused_is_renewed_once(make: Make) -> None:
    world = await make()
    world.wecom.refuse(SEND, 42001, times=1)
    await world.channel.send(world.outbound("你好"))
    assert (len(world.wecom.of(SEND)), len(world.wecom.of(TOKEN))) == (2, 2)

    world.wecom.refuse(SEND, 42001)
    error = await refused(world)
    assert isinstance(error, Faulty)
    assert error.after == 60
    assert (len(world.wecom.of(SEND)), len(world.wecom.of(TOKEN))) == (4, 3)


async def test_an_address_that_is_not_listed_is_named(make: Make) -> None:
    world = await make()
    world.wecom.refuse(SEND, 60020, "not allow to access from your ip, from ip: 1.2.3.4")
    error = await refused(world)

    assert isinstance(error, Blocked)
    assert "add 1.2.3.4 to 企业可信IP" in error.advice
    assert "60020" in world.warnings.shown["api"]


async def test_a_wrong_secret_is_tried_once_and_not_until_we_are_shut_out(make: Make) -> None:
    world = await make()
    world.wecom.secret = "another"
    errors = [await refused(world) for _ in range(5)]

    assert ["secret is wrong" in e.advice for e in errors if isinstance(e, Blocked)] == [True] * 5
    assert len(world.wecom.of(TOKEN)) == 1


async def test_the_doctor_tells_what_is_wrong(make: Make) -> None:
    world = await make(agent_id=7)
    async with serving(world.channel.routes()) as url:
        world.channel.site = replace(world.channel.site, public_url=url)
        found = {f.setting: f async for f in world.channel.doctor()}

    assert (found["corp_id, secret"].ok, found["agent_id"].ok, found["public_url"].ok) == (True, False, True)
    assert "agent_id is wrong" in found["agent_id"].advice
