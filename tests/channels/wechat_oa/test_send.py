"""The customer-service API: one token for all, what each refusal means, and what is not even tried."""

import asyncio
from dataclasses import replace

import pytest
from wechatpy import WeChatClient

from channels.simulators.cgi import Fault
from hub.errors import Blocked, Closed, DeliveryError, Faulty, Impossible, Unknown
from hub.message import Conversation, InboundMessage, Receipt, Text
from hub.person import Identity
from tests.channels.callback import serving, until
from tests.channels.wechat_oa.conftest import APP_ID, OPENID, SECRET, Make, World

SEND, TYPING, TOKEN = "message/custom/send", "message/custom/typing", "stable_token"


async def pushing(make: Make, **changed: object) -> World:
    world = await make(push=True, **changed)
    world.wechat.windows.wrote(OPENID)
    return world


async def refused(world: World, text: str = "你好") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await world.channel.send(world.outbound(text))
    return caught.value


def question() -> InboundMessage:
    return InboundMessage("1", Conversation("oa", APP_ID, OPENID), Identity("oa", APP_ID, OPENID), (Text("慢"),))


async def test_a_text_arrives_as_it_is_in_utf_8(make: Make) -> None:
    r"""Escaped as \uXXXX people would read the escapes."""
    world = await pushing(make)

    assert await world.channel.send(world.outbound("第一句。\n👨‍👩‍👧 ]]> \0\ud800")) == Receipt()
    assert world.wechat.sent == [(OPENID, "第一句。\n👨‍👩‍👧 ]]> ")]
    assert "第一句".encode() in world.wechat.of(SEND)[0].raw


async def test_a_text_of_nothing_is_not_sent(make: Make) -> None:
    world = await pushing(make)

    assert isinstance(await refused(world, " \0"), Impossible)
    assert world.wechat.calls == []


async def test_wechatpy_takes_the_simulator_for_wechat(make: Make) -> None:
    world = await pushing(make)
    token = world.wechat.tokens.give(fresh=False)["access_token"]
    client = WeChatClient(APP_ID, SECRET, access_token=token)
    client.API_BASE_URL = f"{world.wechat.url}/cgi-bin/"
    await asyncio.to_thread(client.message.send_text, OPENID, "你好")

    assert world.wechat.sent == [(OPENID, "你好")]


async def test_fifty_messages_at_once_need_one_token(make: Make) -> None:
    world = await pushing(make, quota=50)
    world.wechat.windows.open[OPENID] = (world.wechat.windows.clock(), 50)
    world.wechat.delay = 0.02
    await asyncio.gather(*(world.channel.send(world.outbound(f"第{n}条")) for n in range(50)))

    assert (len(world.wechat.of(TOKEN)), len(world.wechat.sent)) == (1, 50)


@pytest.mark.parametrize("code", [40001, 40014, 42001])
async def test_a_token_that_is_refused_is_renewed_once_and_never_by_force(make: Make, code: int) -> None:
    world = await pushing(make)
    world.wechat.refuse(SEND, code, times=1)
    await world.channel.send(world.outbound("你好"))

    assert [call.errcode for call in world.wechat.of(SEND)] == [code, 0]
    assert [call.body["force_refresh"] for call in world.wechat.of(TOKEN)] == [False, False]


async def test_a_token_that_is_refused_for_ever_makes_no_storm(make: Make) -> None:
    """wechatpy calls itself here until the stack is full."""
    world = await pushing(make)
    world.wechat.refuse(SEND, 42001)
    error = await refused(world)

    assert isinstance(error, Faulty)
    assert error.after == 60
    assert (len(world.wechat.of(SEND)), len(world.wechat.of(TOKEN))) == (2, 2)


async def test_a_refresh_is_forced_only_after_a_new_token_was_refused_and_rarely(make: Make) -> None:
    world = await pushing(make, refresh_pause=30.0)
    world.wechat.refuse(SEND, 40001)
    for _ in range(3):
        await refused(world)

    assert [call.body["force_refresh"] for call in world.wechat.of(TOKEN)] == [False, False, True, False]


async def test_a_forced_refresh_is_never_made_where_none_is_allowed(make: Make) -> None:
    world = await pushing(make, refresh_daily=0)
    world.wechat.refuse(SEND, 40001)
    for _ in range(2):
        await refused(world)

    assert not any(call.body["force_refresh"] for call in world.wechat.of(TOKEN))


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (45015, Closed),
        (45047, Closed),
        (48001, Closed),
        (99999, Closed),
        (-1, Faulty),
        (45009, Faulty),
        (45011, Faulty),
        (48004, Blocked),
        (50002, Blocked),
        (40003, Impossible),
        (45002, Impossible),
    ],
)
async def test_every_code_says_what_is_next(make: Make, code: int, kind: type[DeliveryError]) -> None:
    world = await pushing(make)
    world.wechat.refuse(SEND, code)
    error = await refused(world)

    assert type(error) is kind
    assert error.code == str(code)
    assert len(world.wechat.of(SEND)) == 1


async def test_a_fault_of_the_server_is_tried_again(make: Make) -> None:
    world = await pushing(make)
    world.wechat.faults.append(Fault(SEND, {}, status=502))

    assert isinstance(await refused(world), Faulty)


async def test_an_answer_that_is_no_json_is_not_taken_for_a_receipt(make: Make) -> None:
    world = await pushing(make)
    world.wechat.faults.append(Fault(SEND, {}))

    assert isinstance(await refused(world), Unknown)


async def test_where_nobody_listens_nothing_was_sent(make: Make) -> None:
    world = await pushing(make)
    await world.wechat.stop()
    error = await refused(world)
    await world.wechat.start()

    assert isinstance(error, Faulty)


# ---- the operator must act


async def test_an_address_that_is_not_listed_is_named_and_not_asked_again_at_once(make: Make) -> None:
    world = await pushing(make)
    world.wechat.refuse(TOKEN, 40164, "invalid ip 1.2.3.4 ipv6 ::ffff:1.2.3.4, not in whitelist")
    errors = [await refused(world) for _ in range(3)]

    assert ["add 1.2.3.4 to" in error.advice for error in errors if isinstance(error, Blocked)] == [True] * 3
    assert len(world.wechat.of(TOKEN)) == 1
    assert "40164" in world.warnings.shown["api"]


async def test_a_warning_is_taken_back_once_a_message_is_taken(make: Make) -> None:
    world = await pushing(make, refusal_pause=0)
    world.wechat.refuse(TOKEN, 40164, "invalid ip 1.2.3.4", times=1)
    await refused(world)
    await world.channel.send(world.outbound("你好"))

    assert world.warnings.shown == {}


async def test_a_wrong_secret_is_named(make: Make) -> None:
    world = await pushing(make)
    world.wechat.app_secret = "another"
    error = await refused(world)

    assert isinstance(error, Blocked)
    assert "app_secret is wrong" in error.advice


async def test_an_account_that_may_not_push_is_from_then_on_one_that_can_not(make: Make) -> None:
    world = await pushing(make)
    world.wechat.refuse(SEND, 48001)
    await refused(world)

    assert world.channel.traits.pushes is False
    assert "push = false" in world.warnings.shown["push"]
    await refused(world)
    assert len(world.wechat.of(SEND)) == 1


async def test_without_push_nothing_is_sent(make: Make) -> None:
    world = await make()

    assert isinstance(await refused(world), Closed)
    assert await world.channel.live(question()) is None
    assert world.wechat.calls == []


# ---- what is not even tried


async def test_the_sixth_message_for_one_question_is_kept_without_asking(make: Make) -> None:
    world = await pushing(make)
    for number in range(5):
        await world.channel.send(world.outbound(f"第{number}条"))
    assert isinstance(await refused(world), Closed)
    assert len(world.wechat.of(SEND)) == 5

    world.wechat.windows.wrote(OPENID)
    await world.channel.live(question())
    assert await world.channel.send(world.outbound("又可以了")) == Receipt()


async def test_a_refusal_of_the_platform_holds_until_the_person_writes(make: Make) -> None:
    world = await pushing(make)
    world.wechat.refuse(SEND, 45047, times=1)
    await refused(world)
    await refused(world)

    assert len(world.wechat.of(SEND)) == 1


async def test_a_message_that_was_not_taken_costs_nothing(make: Make) -> None:
    world = await pushing(make)
    world.wechat.refuse(SEND, -1, times=10)
    for _ in range(10):
        await refused(world)

    assert await world.channel.send(world.outbound("你好")) == Receipt()


# ---- typing


async def test_a_slow_answer_is_announced_once(make: Make) -> None:
    world = await pushing(make)
    live = await world.channel.live(question())
    assert live
    await live.grow("我")
    await world.wechat.until(lambda: bool(world.wechat.of(TYPING)))
    await live.close()

    assert [call.body for call in world.wechat.of(TYPING)] == [{"touser": OPENID, "command": "Typing"}]


async def test_a_quick_answer_is_not_announced(make: Make) -> None:
    world = await pushing(make)
    live = await world.channel.live(question())
    assert live
    await live.close()
    await asyncio.sleep(0.1)

    assert world.wechat.calls == []


async def test_a_sign_that_fails_disturbs_nobody_and_ends_with_the_channel(make: Make) -> None:
    world = await pushing(make)
    world.wechat.refuse(TYPING, 45080)
    live = await world.channel.live(question())
    await world.wechat.until(lambda: bool(world.wechat.of(TYPING)))
    assert live
    await live.close()
    await world.channel.live(question())
    await world.channel.close()

    assert len(world.wechat.of(TYPING)) == 1


# ---- doctor


async def findings(world: World) -> dict[str, tuple[bool, str]]:
    return {found.setting: (found.ok, found.text + found.advice) async for found in world.channel.doctor()}


async def test_the_doctor_is_content_with_a_right_account(make: Make) -> None:
    world = await pushing(make)
    async with serving(world.channel.routes()) as url:
        world.channel.site = replace(world.channel.site, public_url=url)
        found = await findings(world)

    assert {setting: ok for setting, (ok, _) in found.items()} == {
        "app_id, app_secret": True,
        "push": True,
        "clock": False,
        "encoding_aes_key": True,
        "public_url": True,
    }
    assert "NTP" in found["clock"][1]


async def test_the_doctor_names_the_address_to_add(make: Make) -> None:
    world = await pushing(make)
    world.wechat.refuse(TOKEN, 40164, "invalid ip 1.2.3.4, not in whitelist")
    ok, text = (await findings(world))["app_id, app_secret"]

    assert (ok, "40164" in text, "add 1.2.3.4" in text) == (False, True, True)


async def test_the_doctor_names_a_right_to_push_that_is_missing(make: Make) -> None:
    world = await pushing(make)
    world.wechat.refuse(TYPING, 48001)

    assert (await findings(world))["push"][0] is False


async def test_the_doctor_tells_a_hub_with_another_token_from_one_that_is_away(make: Make) -> None:
    world, other = await pushing(make), await pushing(make, app_id="wxother")
    url = other.account.url.removesuffix("/channels/oa")
    world.channel.site = replace(world.channel.site, public_url=url)
    assert (await findings(world))["public_url"][0] is True

    world.channel.site = replace(world.channel.site, public_url="http://127.0.0.1:9")
    assert "does not answer" in (await findings(world))["public_url"][1]


async def test_a_typing_sign_of_an_older_turn_is_not_waited_for(make: Make) -> None:
    world = await pushing(make, typing_after=5.0)
    await world.channel.live(question())
    await world.channel.close()
    await until(lambda: not world.channel._typing)

    assert world.wechat.calls == []
