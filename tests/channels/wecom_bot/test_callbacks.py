"""What a callback is answered with."""

import asyncio
import json

import pytest

from channels.simulators.wecom_bot import event, message, text
from channels.wecom_bot.payload import stream_id
from hub.message import Conversation, Event, Media, Part, Text
from hub.texts import texts
from tests.channels.wecom_bot.conftest import Make, World

WORDS = texts("zh")


async def test_the_address_is_checked_with_an_empty_receiver(bot: World) -> None:
    assert await bot.caller.check(bot.http, "1616140317555161061") == (200, "1616140317555161061")
    assert (await bot.caller.check(bot.http, "1", token="other"))[0] == 403


async def test_a_message_is_stored_and_opens_a_stream(bot: World) -> None:
    said = text("几点开门")
    answered = await bot.call(said)
    (stored,) = bot.inbox.messages

    assert answered.stream == {"id": stream_id(said["msgid"]), "finish": False, "content": ""}
    assert stored.parts == (Text("几点开门"),)
    assert stored.conversation == Conversation("bot", "AIBOT", "ming")
    assert stored.key == said["msgid"]


async def test_the_same_message_again_gets_the_same_stream(bot: World) -> None:
    said = text("几点开门")
    answers = [*await asyncio.gather(*(bot.call(said) for _ in range(5))), await bot.call(said)]

    assert {answer.stream["id"] for answer in answers} == {stream_id(said["msgid"])}
    assert len(bot.inbox.messages) == 1


async def test_a_poll_is_no_message(bot: World) -> None:
    stream = (await bot.call(text("几点开门"))).stream["id"]
    for _ in range(3):
        await bot.poll(stream)

    assert len(bot.inbox.messages) == 1


async def test_what_could_not_be_stored_is_to_be_sent_again(bot: World) -> None:
    bot.inbox.broken = True

    assert (await bot.call(text("几点开门"))).status == 503


@pytest.mark.parametrize("inside", [b"{not json", b"[]", b"null", b"{}", b'{"msgtype":"text"}', b"\xff\xfe", b""])
async def test_a_sealed_rubbish_is_unreadable(bot: World, inside: bytes) -> None:
    assert (await bot.caller.post(bot.http, *bot.caller.sealed(inside))).status == 400


@pytest.mark.parametrize(
    "inside", [{"msgtype": "event", "msgid": "1"}, {"msgtype": "stream", "msgid": "1"}, text("x", msgid="")]
)
async def test_a_callback_without_its_essentials_is_unreadable(bot: World, inside: object) -> None:
    assert (await bot.call(inside)).status == 400


async def test_what_is_not_proven_is_refused(bot: World) -> None:
    caller, inside = bot.caller, json.dumps(text("几点开门")).encode()
    query, body = caller.sealed(inside)
    swapped = caller.sealed(inside)[1]
    refused = [
        (await caller.post(bot.http, {**query, "msg_signature": "0" * 40}, body)).status,
        (await caller.post(bot.http, query, swapped)).status,
        (await caller.post(bot.http, *caller.sealed(inside, age=3600))).status,
        (await caller.post(bot.http, *caller.sealed(inside, receive_id="wwsomebody"))).status,
        (await caller.post(bot.http, {"nonce": ""}, body)).status,
    ]

    assert refused == [403] * 5
    assert bot.inbox.messages == []


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"\x00{", 400), (b"[1]", 400), (b'{"encrypt": 5}', 400), (b'{"encrypt": "' + b"A" * 5000 + b'"}', 413)],
)
async def test_a_body_that_is_no_envelope_is_refused(world: Make, body: bytes, status: int) -> None:
    w = await world(body_bytes=5000)
    query, _ = w.caller.sealed(b"{}")

    assert (await w.caller.post(w.http, query, body)).status == status


FILE = {"url": "https://x.myqcloud.com/a"}
REFERENCE = '{"url":"https://x.myqcloud.com/a","aeskey":""}'


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        (message("image", image=FILE), (Media("image", REFERENCE),)),
        (message("file", file=FILE), (Media("file", REFERENCE),)),
        (message("video", video=FILE), (Media("video", REFERENCE),)),
        (message("voice", voice={"content": "几点开门"}), (Media("voice", "", words="几点开门"),)),
        (
            message(
                "mixed",
                group="CHAT1",
                mixed={
                    "msg_item": [
                        {"msgtype": "text", "text": {"content": "@RobotA 这是什么"}},
                        {"msgtype": "image", "image": FILE},
                        {"msgtype": "hologram"},
                    ]
                },
            ),
            (Text("这是什么"), Media("image", REFERENCE)),
        ),
        (message("hologram", hologram={}), (Event("hologram"),)),
        (text("   "), (Text(""),)),
    ],
)
async def test_each_kind_has_its_parts(bot: World, said: object, parts: tuple[Part, ...]) -> None:
    await bot.call(said)

    assert bot.inbox.messages[0].parts == parts


async def test_a_group_is_a_conversation_and_the_mention_is_taken_out(bot: World) -> None:
    await bot.call(text("问 @小王 吗", group="CHAT1"))
    (stored,) = bot.inbox.messages

    assert stored.conversation == Conversation("bot", "AIBOT", "CHAT1", "group")
    assert stored.parts == (Text("问 @小王 吗"),)


async def test_a_name_with_a_space_is_taken_out_where_it_is_known(world: Make) -> None:
    w = await world(bot_name="Robot A", group_context="member")
    await w.call(message("text", group="CHAT1", text={"content": "请问 @Robot A 几点开门"}))
    (stored,) = w.inbox.messages

    assert stored.parts == (Text("请问  几点开门"),)
    assert stored.conversation.id == "CHAT1|ming"


async def test_who_opens_the_chat_is_welcomed(bot: World, world: Make) -> None:
    own = await world(welcome="您好！")

    assert (await bot.call(event("enter_chat"))).inside == {"msgtype": "text", "text": {"content": WORDS.welcome}}
    assert (await own.call(event("enter_chat"))).inside == {"msgtype": "text", "text": {"content": "您好！"}}


@pytest.mark.parametrize("kind", ["feedback_event", "template_card_event", "brand_new"])
async def test_other_events_get_an_empty_answer(bot: World, kind: str) -> None:
    answered = await bot.call(event(kind))

    assert (answered.status, answered.inside) == (200, None)
    assert bot.inbox.messages == []


async def test_a_stream_of_nobody_is_ended(bot: World) -> None:
    for name in ("streamofnobody", "流", stream_id("other")):
        assert await bot.poll(name) == {"id": name, "finish": True, "content": WORDS.failed}
