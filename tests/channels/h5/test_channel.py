"""What the hub asks of the channel, besides its routes."""

import aiohttp

from hub.fit import fit
from hub.message import Choice, Conversation, InboundMessage, Reply, Text
from hub.person import Identity
from hub.texts import texts
from tests.channels.h5.desk import Desk, channel

THERE = Conversation("web", "", "c0ffee")
MESSAGE = InboundMessage("c0ffee:1", THERE, Identity("web", "", "visitor:1"), (Text("在吗"),))


async def test_people_fetch_their_replies_and_see_sources_themselves() -> None:
    async with aiohttp.ClientSession() as http:
        traits = channel(Desk(), http).traits

    assert (traits.pulled, traits.citations, traits.markdown, traits.text_bytes) == (True, "own", True, None)


async def test_a_message_that_nobody_knows_has_no_live_reply() -> None:
    async with aiohttp.ClientSession() as http:
        assert await channel(Desk(), http).live(MESSAGE) is None


async def test_a_journal_that_is_away_costs_the_live_reply_and_no_more() -> None:
    desk = Desk()
    async with aiohttp.ClientSession() as http:
        made = channel(desk, http)
        await desk.accept(MESSAGE)
        desk.broken = True

        assert await made.live(MESSAGE) is None
    await desk.close()


async def test_doctor_tells_who_may_show_the_widget() -> None:
    async with aiohttp.ClientSession() as http:
        found = [finding async for finding in channel(Desk(), http, identity_secret=None).doctor()]
        closed = [finding async for finding in channel(Desk(), http, allowed_origins=()).doctor()]

    assert [(f.setting, f.ok, f.text) for f in found] == [
        ("allowed_origins", True, "https://shop.example"),
        ("identity_secret", True, "visitors stay anonymous"),
    ]
    assert [(f.ok, bool(f.advice)) for f in closed] == [(False, True), (True, False)]


async def test_what_can_be_pressed_on_the_page_is_not_written_out_as_words() -> None:
    reply = Reply("要转给同事吗？", choices=(Choice("好的", "确认"),))
    async with aiohttp.ClientSession() as http:
        [piece] = fit(reply, channel(Desk(), http).traits, texts("zh"))

    assert (piece.text, piece.choices) == (reply.text, reply.choices)
