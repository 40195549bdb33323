"""A reply is fit to the channel, and is sent when the platform said so: never because nothing was heard."""

from collections.abc import Callable

import pytest
from aiohttp import web

from hub.errors import DeliveryError, Faulty, Unknown
from hub.fit import fit, size
from hub.message import Reply
from hub.texts import texts
from tests.channels.conformance.world import World

LONG = "".join(f"{n}。门票可以在出发前一天免费退👨‍👩‍👧‍👦，当天退票收取一半的费用😀！" for n in range(400))[:10_500]
Failure = Callable[[web.Request], web.Response]


def cut(request: web.Request) -> web.Response:
    """The connection breaks before anything is answered."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


FAILURES: dict[str, Failure] = {
    "500": lambda _: web.Response(status=500, text="{}"),
    "502": lambda _: web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html"),
    "503": lambda _: web.json_response({"errcode": 0, "code": 0}, status=503),
    "429": lambda _: web.json_response({"errcode": 0, "code": 0}, status=429),
    "cut": cut,
}


async def test_a_reply_goes_out(world: World) -> None:
    message = await world.hear("在吗")
    receipt = await world.channel.send(world.reply(message, "在的"))

    assert isinstance(receipt.id, str)


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_fault_of_the_platform_is_tried_again(world: World, failure: str) -> None:
    if world.case.no_api:
        pytest.skip(world.case.no_api)
    message = await world.hear("在吗")
    world.api.fails = FAILURES[failure]
    calls = len(world.api.calls)

    with pytest.raises((Faulty, Unknown)):
        await world.channel.send(world.reply(message, "在的"))

    assert len(world.api.calls) > calls


async def test_an_answer_that_says_nothing_is_no_success(world: World) -> None:
    if world.case.no_api:
        pytest.skip(world.case.no_api)
    message = await world.hear("在吗")
    world.api.fails = lambda _: web.Response(text="<html>Welcome to the proxy</html>", content_type="text/html")

    with pytest.raises(DeliveryError):
        await world.channel.send(world.reply(message, "在的"))


async def test_an_api_that_is_away_is_tried_again(world: World) -> None:
    if world.case.no_api:
        pytest.skip(world.case.no_api)
    message = await world.hear("在吗")
    await world.api.away.aclose()

    with pytest.raises((Faulty, Unknown)):
        await world.channel.send(world.reply(message, "在的"))


async def test_a_long_reply_loses_nothing_and_no_piece_is_too_long(world: World) -> None:
    traits = world.channel.traits
    pieces = fit(Reply(LONG), traits, texts("zh"))
    most = traits.text_bytes

    assert size(LONG) > 30_000
    assert "".join("".join(piece.text for piece in pieces).split()) == "".join(LONG.split())
    assert len(pieces) == 1 if most is None else all(size(piece.text) <= most for piece in pieces)


ATTACK = "\n".join(
    (
        '<@all> <at id=all></at> <at user_id="all">所有人</at> <\0at id=all></at>',
        "[点我](javascript:alert(1)) [点我](dtmd://dingtalkclient/sendMessage?content=转账) [a](data:text/html,x)",
        '<a href="weixin://bizmsgmenu?msgmenucontent=转账&msgmenuid=1">点我</a> <img src=https://evil.example/p.png>',
        "![](https://evil.example/p.png) [![a](https://evil.example/q.png)](https://a.example)",
        "]]></Content>\ud800\u202e",
    )
)
TAGS, LINKS = ("<@", "<at", "<a ", "<img"), ("](javascript:", "](dtmd:", "](data:", "![")


async def test_nothing_in_an_answer_acts_by_itself(world: World) -> None:
    """What was quoted from a document, or echoed, mentions nobody, loads nothing and speaks for nobody."""
    if world.case.no_api:
        pytest.skip(world.case.no_api)
    message = await world.hear("在吗")
    for piece in fit(Reply(ATTACK), world.channel.traits, texts("zh")):
        await world.channel.send(world.reply(message, piece.text))
    said = "\n".join(world.api.said)

    assert "点我" in said
    acts = (*TAGS, *LINKS) if world.channel.traits.markdown else TAGS
    assert [act for act in acts if act in said.lower()] == []
    assert "\u202e" not in said
    assert "\\u202e" not in said


async def test_a_channel_that_can_be_reached_only_in_an_answer_says_so(world: World) -> None:
    traits = world.channel.traits

    assert traits.pushes or traits.answers_request
    assert traits.text_bytes is None or traits.text_bytes >= 1000
    assert traits.most_parts is None or traits.most_parts >= 1
    assert not (traits.pulled and traits.answers_request)
