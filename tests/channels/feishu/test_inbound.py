"""Callbacks over HTTP, from the simulated Feishu to the inbox."""

import asyncio
import contextlib
import io
import json

import pytest

from channels.simulators.feishu import Account, Fault, Refused, mention
from hub.errors import DeliveryError, Faulty, Impossible
from hub.message import Media
from tests.channels.feishu.conftest import Make
from tests.channels.feishu.messages import ACCOUNT, PLAIN

US = [mention(1, ACCOUNT.bot, "Helper")]


@pytest.mark.parametrize("account", [ACCOUNT, PLAIN], ids=["encrypted", "plain"])
async def test_the_check_of_the_address_is_answered_as_json(world: Make, account: Account) -> None:
    w = await world(account)

    assert await w.post(account.challenge('a"b\\c')) == (200, {"challenge": 'a"b\\c'})


@pytest.mark.parametrize("account", [ACCOUNT, PLAIN], ids=["encrypted", "plain"])
async def test_a_message_is_stored_before_it_is_acknowledged(world: Make, account: Account) -> None:
    w = await world(account)

    assert await w.post(account.message("你好")) == (200, {})
    assert [m.text for m in w.inbox.messages] == ["你好"]


async def test_a_message_that_can_not_be_stored_is_not_acknowledged(world: Make) -> None:
    w = await world()
    event = ACCOUNT.message("你好")
    w.inbox.broken = True
    status, _ = await w.post(event)
    w.inbox.broken = False

    assert status == 503
    assert await w.platform.push(w.http, w.url, event) == [200]


async def test_what_is_repeated_until_it_is_acknowledged_is_one_message(world: Make) -> None:
    w = await world()
    event = ACCOUNT.message("你好")
    w.inbox.broken = True
    pushing = asyncio.create_task(w.platform.push(w.http, w.url, event, pauses=(0.05, 0.05, 0.05)))
    await asyncio.sleep(0.08)
    w.inbox.broken = False
    tries = await pushing

    assert tries[-1] == 200
    assert len(tries) > 1
    assert len(w.inbox.messages) == 1


async def test_a_message_that_comes_again_under_another_event_is_the_same(world: Make) -> None:
    w = await world()
    for _ in range(3):
        assert (await w.post(ACCOUNT.message("你好", message_id="om_1")))[0] == 200

    assert len(w.inbox.messages) == 1


async def test_forgeries_are_refused_and_reach_nobody(world: Make) -> None:
    w = await world()
    forger = Account("cli_app", "s", token=ACCOUNT.token, encrypt_key="guess")
    plain_body, _ = PLAIN.sealed(ACCOUNT.message("伪造"))
    sealed_body, _ = ACCOUNT.sealed(ACCOUNT.message("伪造"))
    statuses = [
        await w.raw(*forger.sealed(ACCOUNT.message("伪造"))),
        await w.raw(plain_body, {}),
        await w.raw(sealed_body, {}),
        await w.raw(*ACCOUNT.sealed(ACCOUNT.message("伪造"), age=90_000)),
        await w.raw(b"", {}),
    ]

    assert statuses[:-1] == [403] * 4
    assert statuses[-1] in (400, 403)
    assert w.inbox.messages == []


async def test_a_body_of_twenty_megabytes_is_refused_unread(world: Make) -> None:
    w = await world()
    async with w.http.post(w.url, data=io.BytesIO(b"x" * (20 << 20))) as response:
        assert response.status == 413


async def test_a_proven_event_that_can_not_be_read_is_a_clean_refusal(world: Make) -> None:
    w = await world()

    assert (await w.post(ACCOUNT.event("im.message.receive_v1", {"message": 1})))[0] == 400


async def test_in_a_group_we_ask_once_who_we_are(world: Make) -> None:
    w = await world()
    await asyncio.gather(*(w.ask("@_user_1 x", group=True, mentions=US) for _ in range(5)))

    assert all(m.addressed for m in w.inbox.messages)
    assert w.platform.calls["GET /open-apis/bot/v3/info"] == 1


async def test_after_a_restart_we_know_who_we_are_without_asking(world: Make) -> None:
    w = await world()
    await w.record.keep_note("bot cli_app", ACCOUNT.bot)

    assert (await w.ask("@_user_1 x", group=True, mentions=US)).addressed
    assert not w.platform.calls["GET /open-apis/bot/v3/info"]


async def test_while_we_do_not_know_who_we_are_a_mention_comes_again(world: Make) -> None:
    w = await world()
    w.platform.faults.append(Fault("/bot/v3/info", Refused(99991400, status=429)))
    event = ACCOUNT.message("@_user_1 x", group=True, mentions=US)

    assert await w.platform.push(w.http, w.url, event, pauses=(0.01,)) == [503, 200]
    assert [m.addressed for m in w.inbox.messages] == [True]


async def test_a_message_of_a_bot_is_acknowledged_and_left_alone(world: Make) -> None:
    w = await world()

    assert await w.post(ACCOUNT.message("x", sender_type="app")) == (200, {})
    assert w.inbox.messages == []


async def test_a_recalled_message_is_withdrawn(world: Make) -> None:
    w = await world()
    message = await w.ask()

    assert await w.post(ACCOUNT.recall(message.key, "oc_ming")) == (200, {})
    assert w.inbox.withdrawn == [message.key]


async def test_a_click_is_answered_with_a_toast(world: Make) -> None:
    w = await world()
    status, answer = await w.post(ACCOUNT.click({"say": "确认"}, message="om_1", chat="oc_ming"))

    assert status == 200
    assert answer["toast"]["i18n"].keys() == {"zh_cn", "en_us"}
    assert w.inbox.messages[0].text == "确认"


async def test_a_click_on_a_foreign_button_is_answered_with_an_empty_object(world: Make) -> None:
    w = await world()

    assert await w.post(ACCOUNT.click({"action": "x"}, message="om_1", chat="oc_ming")) == (200, {})


async def test_events_of_no_use_are_acknowledged(world: Make) -> None:
    w = await world()
    for kind in ("im.message.reaction.created_v1", "no.such.event_v9", "im.chat.member.bot.added_v1"):
        assert await w.post(ACCOUNT.event(kind, {"chat_id": "oc_1"})) == (200, {})


async def test_a_picture_is_fetched_with_the_message_it_belongs_to(world: Make) -> None:
    w = await world()
    message = await w.ask(kind="image", content={"image_key": "img_1"})
    (picture,) = message.parts
    assert isinstance(picture, Media)

    assert (await w.channel.fetch(picture)).startswith(b"\x89PNGimg_1")


async def test_a_file_that_is_too_large_is_not_fetched(world: Make) -> None:
    w = await world(media_bytes=100)
    message = await w.ask(kind="file", content={"file_key": "f" * 50})
    (file,) = message.parts
    assert isinstance(file, Media)

    with pytest.raises(Impossible, match="more than 100"):
        await w.channel.fetch(file)


async def test_the_key_of_a_file_is_a_key_and_no_way_to_another_place(world: Make) -> None:
    w = await world()
    message = await w.ask(kind="image", content={"image_key": "../../../../im/v1/chats?x=1#"})
    (picture,) = message.parts
    assert isinstance(picture, Media)
    with contextlib.suppress(DeliveryError):
        await w.channel.fetch(picture)

    assert all("/resources/" in call for call in w.platform.calls if "chats" in call)


async def test_a_file_of_a_recalled_message_is_impossible_and_a_fault_is_a_fault(world: Make) -> None:
    w = await world()
    w.platform.faults.append(Fault("/f", Refused(2200, status=500)))

    with pytest.raises(Faulty):
        await w.channel.fetch(Media("file", "om_gone/f"))
    with pytest.raises(Impossible):
        await w.channel.fetch(Media("file", "om_gone/f"))


async def test_over_the_long_connection_there_is_no_callback(world: Make) -> None:
    w = await world(transport="websocket")
    body, headers = ACCOUNT.sealed(ACCOUNT.message("x"))

    assert await w.raw(body, headers) == 404
    assert json.loads(body)
