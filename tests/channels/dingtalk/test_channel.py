"""The HTTP callback, and the ways of an answer."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from channels.dingtalk.payload import decode
from channels.simulators.dingtalk import Fault, Shown
from hub.errors import Blocked, Closed, DeliveryError, Faulty, Impossible, NotStored, Refusal, Unknown
from hub.message import InboundMessage, OutboundMessage, Text
from tests.channels.dingtalk.conftest import Make, World


@web.middleware
async def statuses(request: web.Request, handler: Any) -> web.StreamResponse:
    """What the hub makes of errors."""
    try:
        response: web.StreamResponse = await handler(request)
    except Refusal as refusal:
        return web.Response(status=refusal.status)
    except NotStored:
        return web.Response(status=503)
    return response


async def called_back(w: World, message: object, **how: Any) -> int:
    """The status that a callback with this message gets."""
    app = web.Application(middlewares=[statuses])
    app.add_routes(w.channel.routes())
    async with TestServer(app) as server:
        return await w.platform.post(w.http, str(server.make_url("/channels/dd")), message, **how)


async def test_a_signed_callback_is_stored(world: Make) -> None:
    w = await world(transport="webhook")
    message = w.platform.message("怎么出差？")

    assert [await called_back(w, message), await called_back(w, message)] == [200, 200]
    assert [m.parts for m in w.inbox.messages] == [(Text("怎么出差？"),)]


@pytest.mark.parametrize("how", [{"secret": "other"}, {"age": 3700}, {"age": -3700}])
async def test_a_callback_that_proves_nothing_is_refused(world: Make, how: dict[str, Any]) -> None:
    w = await world(transport="webhook")

    assert await called_back(w, w.platform.message("你好"), **how) == 403
    assert w.inbox.messages == []


@pytest.mark.parametrize("odd", [b"", b"{", b"[]", b"null", b'{"msgtype": "text", "text": null}', b"\x00\xff"])
async def test_a_signed_body_that_is_no_message_is_unreadable(world: Make, odd: bytes) -> None:
    assert await called_back(await world(transport="webhook"), odd) == 400


async def test_a_message_for_another_robot_is_taken_and_left_alone(world: Make) -> None:
    w = await world(transport="webhook")

    assert await called_back(w, w.platform.message("你好", robotCode="other")) == 200
    assert w.inbox.messages == []


async def test_what_could_not_be_stored_is_to_be_sent_again(world: Make) -> None:
    w = await world(transport="webhook")
    w.inbox.broken = True

    assert await called_back(w, w.platform.message("你好")) == 503


async def test_a_stream_channel_has_no_callback(world: Make) -> None:
    assert list((await world()).channel.routes()) == []


def asked(w: World, **fields: Any) -> InboundMessage:
    """A message as the channel reads it."""
    message = decode(w.platform.message("问", **fields), w.channel.settings, "dd")
    assert message is not None
    return message


def answer(message: InboundMessage, text: str = "答案", **more: Any) -> OutboundMessage:
    """The reply to it."""
    known = {"reply_to": message.key, "context": message.context}
    return OutboundMessage(1, "t1", message.conversation, message.sender, text, 2, **{**known, **more})


async def sent(w: World, text: str = "答案", **fields: Any) -> list[Shown]:
    """What people see of the answer to a message with these fields."""
    await w.channel.send(answer(asked(w, **fields), text))
    return w.platform.shown


async def test_an_answer_goes_through_the_session_webhook(world: Make) -> None:
    assert await sent(await world()) == [Shown("cidming=", "session", "答案")]


@pytest.mark.parametrize("lives", [-1, 4])
async def test_a_webhook_that_is_over_or_nearly_is_not_used(world: Make, lives: float) -> None:
    assert await sent(await world(), lives=lives) == [Shown("cidming=", "oToMessages", "答案")]


async def test_the_webhook_is_over_when_its_time_comes(world: Make) -> None:
    w = await world()
    message = asked(w, lives=60)
    object.__setattr__(w.channel.site, "clock", lambda: datetime.now(UTC) + timedelta(seconds=56))
    await w.channel.send(answer(message))

    assert [shown.way for shown in w.platform.shown] == ["oToMessages"]


async def test_a_group_is_answered_in_the_group(world: Make) -> None:
    w = await world(group_context="member")

    assert await sent(w, group="cid/g=", lives=-1) == [Shown("cid/g=", "groupMessages", "答案")]


async def test_a_message_that_nobody_asked_for_finds_its_way(world: Make) -> None:
    w = await world()
    await w.channel.send(answer(asked(w), context="", reply_to=""))

    assert w.platform.shown == [Shown("cidming=", "oToMessages", "答案")]


@pytest.mark.parametrize(
    "webhook",
    [
        "http://127.0.0.1:9/robot/sendBySession?session=x",
        "https://evil.example/robot/sendBySession",
        "https://dingtalk.com.evil.example/x",
        "http://oapi.dingtalk.com/x",
        "file:///etc/passwd",
        "no url",
    ],
)
async def test_a_webhook_of_a_foreign_host_is_not_called(world: Make, webhook: str) -> None:
    assert await sent(await world(), sessionWebhook=webhook) == [Shown("cidming=", "oToMessages", "答案")]


@pytest.mark.parametrize("errcode", [310000, 300001])
async def test_an_errcode_is_a_failure_and_the_api_is_used(world: Make, errcode: int) -> None:
    w = await world()
    w.platform.faults = [Fault("sendBySession", errcode=errcode)]

    assert await sent(w) == [Shown("cidming=", "oToMessages", "答案")]


OUTSIDER: dict[str, Any] = {"senderStaffId": None}


async def test_somebody_from_outside_is_answered_through_the_webhook(world: Make) -> None:
    assert await sent(await world(), **OUTSIDER) == [Shown("cidming=", "session", "答案")]


async def test_nobody_from_outside_is_reached_without_a_webhook(world: Make) -> None:
    w = await world()

    with pytest.raises(Closed):
        await sent(w, lives=-1, **OUTSIDER)


async def test_what_was_kept_goes_out_through_the_webhook_of_the_next_message(world: Make) -> None:
    w = await world()
    old = asked(w, lives=-1, **OUTSIDER)
    async with w.running():
        await w.platform.gateway.push(w.platform.message("还在吗？", **OUTSIDER))
    await w.channel.send(answer(old))

    assert w.platform.shown == [Shown("cidming=", "session", "答案")]


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("sendBySession", status=500), Faulty),
        (Fault("sendBySession", status=429), Faulty),
        (Fault("sendBySession", cut="before"), Unknown),
    ],
)
async def test_a_fault_of_the_webhook_is_for_another_try(world: Make, fault: Fault, error: type[DeliveryError]) -> None:
    w = await world()
    w.platform.faults = [fault]

    with pytest.raises(error):
        await sent(w)
    assert w.platform.shown == []


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("batchSend", status=403, code="Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"), Faulty),
        (Fault("batchSend", status=403, code="Forbidden.AccessDenied.AccessTokenPermissionDenied"), Blocked),
        (Fault("batchSend", status=403, code="Forbidden.AccessDenied.IpNotInWhiteList"), Blocked),
        (Fault("batchSend", status=400, code="invalidParameter.msgParam.invalid"), Impossible),
        (Fault("accessToken", status=400, code="invalidClientIdOrSecret"), Blocked),
        (Fault("batchSend", status=503), Faulty),
    ],
)
async def test_a_refusal_of_the_api_says_what_to_do(world: Make, fault: Fault, error: type[DeliveryError]) -> None:
    w = await world()
    w.platform.faults = [fault]

    with pytest.raises(error):
        await sent(w, lives=-1)


async def test_a_person_who_has_left_is_not_reached(world: Make) -> None:
    w = await world()
    message = asked(w, lives=-1)
    w.platform.chats.clear()

    with pytest.raises(Impossible):
        await w.channel.send(answer(message))


async def test_a_token_that_is_no_longer_good_is_renewed_once(world: Make) -> None:
    w = await world()
    await sent(w, lives=-1)
    w.platform.tokens.clear()
    await sent(w, lives=-1)

    assert len(w.platform.shown) == 2
    assert w.platform.calls["/v1.0/oauth2/accessToken"] == 2


async def test_the_api_is_not_called_more_often_than_allowed(world: Make) -> None:
    w = await world(api_rate=2)
    started = datetime.now(UTC)
    for _ in range(3):
        await sent(w, lives=-1)

    assert datetime.now(UTC) - started > timedelta(seconds=0.9)


async def test_a_long_answer_with_line_breaks_fits_into_a_body(world: Make) -> None:
    w = await world()

    assert [shown.way for shown in await sent(w, "字" * 4990 + "\n字" * 5)] == ["session"]


async def test_a_file_is_fetched_by_its_code(world: Make) -> None:
    w = await world()
    message = asked(w, msgtype="picture", content={"downloadCode": "code"})

    assert await w.channel.fetch(message.parts[0]) == b"code"  # type: ignore[arg-type]  # a Media part


async def test_a_file_that_is_too_large_is_not_fetched(world: Make) -> None:
    w = await world(media_bytes=3)
    message = asked(w, msgtype="picture", content={"downloadCode": "code"})

    with pytest.raises(Impossible):
        await w.channel.fetch(message.parts[0])  # type: ignore[arg-type]  # a Media part
