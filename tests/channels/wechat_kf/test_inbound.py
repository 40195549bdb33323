"""The bell rings, and what waits is fetched: all of it, once, in order, from a cursor that lasts."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from channels.kit import xml
from channels.simulators.pushes import post, push
from channels.simulators.wechat_kf import entry, event, ring
from hub.errors import NotStored
from hub.message import Conversation, Event, InboundMessage, Link, Location, Media, Part, Text
from hub.person import Evidence, Identity
from hub.texts import texts
from tests.channels.callback import AT, until
from tests.channels.wechat_kf.conftest import CORP, CUSTOMER, DESK, Make, World, said
from tests.fakes import FakeTicket

SYNC = "kf/sync_msg"


def cursors(world: World) -> list[str]:
    return [call.body.get("cursor", "") for call in world.service.of(SYNC)]


async def test_a_question_is_fetched_with_the_token_of_the_bell(make: Make) -> None:
    world = await make()
    world.service.unionids[CUSTOMER] = "the-unionid"
    await world.fetch([said("几点开门", msgid="m1")])

    assert world.inbox.messages == [
        InboundMessage(
            key="m1",
            conversation=Conversation("kf", DESK, CUSTOMER),
            sender=Identity("kf", DESK, CUSTOMER),
            parts=(Text("几点开门"),),
            sent_at=datetime.fromtimestamp(AT, UTC),
            evidence=(Evidence("external_userid", f"{CORP}:{CUSTOMER}"), Evidence("unionid", "the-unionid")),
        )
    ]
    assert all(call.body["token"] for call in world.service.of(SYNC))


async def test_the_bell_is_answered_with_nothing_before_anything_is_fetched(make: Make) -> None:
    world = await make()
    world.service.delay = 3.0
    world.service.wait(DESK, [said("你好")])
    done = await ring(world.http, world.account, DESK)

    assert (done.statuses, done.tries[0].body) == ([200], b"")
    assert world.inbox.messages == []


async def test_every_page_is_fetched_even_behind_an_empty_one(make: Make) -> None:
    world = await make()
    await world.fetch([said("一"), said("二")], [], [said("三")])

    assert world.asked == ["一", "二", "三"]
    assert cursors(world) == ["", "c1", "c2"]


async def test_a_bell_for_nothing_answers_nothing_again(make: Make) -> None:
    world = await make()
    await world.fetch([said("你好")])
    for _ in range(3):
        await world.fetch()

    assert world.asked == ["你好"]
    assert cursors(world)[1:] == ["c1"] * 3


async def test_many_bells_at_once_fetch_one_after_another(make: Make) -> None:
    world = await make()
    world.service.wait(DESK, [said("一")], [said("二")])
    await asyncio.gather(*(ring(world.http, world.account, DESK) for _ in range(10)))
    await world.idle()

    assert world.asked == ["一", "二"]
    assert cursors(world)[:2] == ["", "c1"]
    assert len(cursors(world)) <= 12


async def test_the_same_words_twice_are_two_messages(make: Make) -> None:
    world = await make()
    await world.fetch([said("好的"), said("好的")])

    assert world.asked == ["好的", "好的"]


async def test_desks_are_apart(make: Make) -> None:
    world = await make()
    await world.fetch([said("一")])
    await world.fetch([entry("wkOTHER", CUSTOMER, "二", at=AT)], desk="wkOTHER")

    assert [m.conversation.account for m in world.inbox.messages] == [DESK, "wkOTHER"]
    assert cursors(world) == ["", ""]


# ---- what lasts


async def test_after_a_restart_the_hub_asks_by_itself_from_where_it_was(make: Make) -> None:
    world = await make()
    await world.fetch([said("一")])
    world.service.wait(DESK, [said("二")])
    after = await make(record=world.record, service=world.service)
    await after.channel.run()
    await after.idle()

    assert after.asked == ["二"]
    assert cursors(world) == ["", "c1"]
    assert "token" not in world.service.of(SYNC)[-1].body


async def test_the_cursor_moves_only_after_a_whole_page_is_stored(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make()
    accept = world.inbox.accept
    failed: list[str | None] = []

    async def once(message: InboundMessage) -> FakeTicket:
        if message.text == "二" and not failed:
            failed.append(world.record.notes.get(f"cursor:{DESK}"))
            raise NotStored
        return await accept(message)

    monkeypatch.setattr(world.inbox, "accept", once)
    monkeypatch.setattr(world.channel._desks, "_backoff", replace(world.channel._desks._backoff, first=0.01))
    await world.fetch([said("一"), said("二"), said("三")])

    assert (world.asked, failed, cursors(world)) == (["一", "二", "三"], [None], ["", ""])


async def test_customers_of_one_page_are_stored_side_by_side_each_in_their_order(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = await make()
    accept, both = world.inbox.accept, asyncio.Barrier(2)

    async def slow(message: InboundMessage) -> FakeTicket:
        if message.text.endswith("一"):
            await both.wait()  # neither goes on before the other has come
        return await accept(message)

    monkeypatch.setattr(world.inbox, "accept", slow)
    other = [entry(DESK, "wmOther", f"乙{n}", at=AT) for n in "一二"]
    await world.fetch([said("甲一"), said("甲二"), *other])

    assert sorted(world.asked) == ["乙一", "乙二", "甲一", "甲二"]
    assert [text for text in world.asked if text.startswith("甲")] == ["甲一", "甲二"]
    assert [text for text in world.asked if text.startswith("乙")] == ["乙一", "乙二"]


async def test_a_bell_that_can_not_be_kept_is_rung_again(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    world = await make()

    async def full(key: str, value: str) -> None:
        raise NotStored

    monkeypatch.setattr(world.record, "keep_note", full)

    assert (await ring(world.http, world.account, DESK)).statuses == [503, 503, 503]


async def test_what_was_said_long_before_the_first_sync_is_recorded_and_not_answered(make: Make) -> None:
    world = await make()
    await world.fetch([said("早", send_time=AT - 86400), said("现在")])
    await world.fetch([said("补发", send_time=AT - 86400)])

    assert world.asked == ["现在", "补发"]
    assert len(world.inbox.messages) == 3


@pytest.mark.parametrize("code", [42001, 95007, -1])
async def test_a_fault_of_the_platform_loses_nothing(make: Make, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    world = await make()
    monkeypatch.setattr(world.channel._desks, "_backoff", replace(world.channel._desks._backoff, first=0.01))
    world.service.refuse(SYNC, code, times=1)
    await world.fetch([said("你好")])

    assert world.asked == ["你好"]
    assert ("token" in world.service.of(SYNC)[-1].body) is (code != 95007)


async def test_a_refused_address_is_reported_and_tried_at_the_next_bell(make: Make) -> None:
    world = await make(refusal_pause=0)
    world.service.refuse("gettoken", 60020, "not allow to access from your ip, from ip: 1.2.3.4", times=1)
    await world.fetch([said("你好")])
    assert (world.asked, len(world.service.of("gettoken"))) == ([], 1)
    assert "add 1.2.3.4" in world.warnings.shown["api"]

    await world.fetch()
    assert world.asked == ["你好"]
    assert world.warnings.shown == {}


async def test_a_cursor_that_does_not_move_is_not_followed_for_ever(make: Make) -> None:
    world = await make()
    answer: dict[str, Any] = {"errcode": 0, "next_cursor": "c1", "has_more": 1, "msg_list": []}
    world.service._paths = {**world.service._paths, SYNC: lambda call: dict(answer)}
    await world.fetch()

    assert cursors(world) == ["", "c1"]


# ---- who is answered


async def test_the_system_and_colleagues_are_recorded_and_not_answered(make: Make) -> None:
    world = await make()
    await world.fetch(
        [
            event("session_status_change", at=AT, open_kfid=DESK, external_userid=CUSTOMER),
            event("brand_new", at=AT),
            said("系统", origin=4),
            said("我来帮您", origin=5, servicer_userid="lisi"),
            said("你好"),
        ]
    )

    assert world.asked == ["你好"]
    assert [m.parts[0] for m in world.inbox.messages][:-1] == [
        Event("session_status_change"),
        Event("system"),
        Event("servicer", "lisi"),
    ]


@pytest.mark.parametrize("state", [2, 3])
async def test_while_people_have_the_session_the_hub_is_silent(make: Make, state: int) -> None:
    world = await make()
    world.service.states[DESK, CUSTOMER] = state
    await world.fetch([said("你好"), said("在吗")])
    assert (world.asked, len(world.inbox.messages)) == ([], 2)
    assert world.service.of("kf/service_state/trans") == []

    world.service.states[DESK, CUSTOMER] = 1
    await world.fetch([said("又见面了")])
    assert world.asked == ["又见面了"]


async def test_where_wecom_does_not_say_whose_session_it_is_the_agent_is_asked(make: Make) -> None:
    world = await make()
    world.service.refuse("kf/service_state/get", -1)
    await world.fetch([said("你好")])

    assert world.asked == ["你好"]


async def test_without_unionids_customers_are_served_all_the_same(make: Make) -> None:
    world = await make()
    world.service.refuse("kf/customer/batchget", 48002, times=1)
    await world.fetch([said("一", msgid="m1")])
    await world.fetch([said("二", msgid="m2")])

    assert (world.message("m1").evidence, len(world.message("m2").evidence)) == ((), 1)


async def test_a_customer_is_asked_about_once(make: Make) -> None:
    world = await make()
    for text in "一二三":
        await world.fetch([said(text)])

    assert len(world.service.of("kf/customer/batchget")) == 1


async def test_nobody_is_asked_about_where_that_is_switched_off(make: Make) -> None:
    world = await make(identify=False)
    await world.fetch([said("你好", msgid="m1")])

    assert (world.message("m1").evidence, world.service.of("kf/customer/batchget")) == ((), [])


async def test_whoever_asks_for_a_person_waits_for_one_and_reads_so(make: Make) -> None:
    world = await make()
    await world.fetch([said("转人工"), said("你好")])

    assert world.service.states[DESK, CUSTOMER] == 2
    assert world.service.sent == [("", "", texts("zh").queued)]
    assert "转人工" not in world.asked


async def test_where_nobody_takes_the_session_the_hub_answers(make: Make) -> None:
    world = await make()
    world.service.refuse("kf/service_state/trans", 95016)
    await world.fetch([said("转人工")])

    assert world.asked == ["转人工"]


async def test_whoever_enters_is_welcomed_while_the_code_is_good(make: Make) -> None:
    world = await make(welcome="欢迎")
    world.service.codes |= {"W1", "W2"}
    entered = {"open_kfid": DESK, "external_userid": CUSTOMER}
    await world.fetch(
        [
            event("enter_session", at=AT - 30, welcome_code="W1", **entered),
            event("enter_session", at=AT, welcome_code="W2", **entered),
            event("msg_send_fail", at=AT, fail_msgid="x", fail_type=4, **entered),
        ]
    )

    assert (world.service.sent, world.service.codes) == ([("", "", "欢迎")], {"W1"})


async def test_when_people_end_the_session_the_conversation_is_the_agents_again(make: Make) -> None:
    world = await make()
    changed = {"open_kfid": DESK, "external_userid": CUSTOMER}
    await world.fetch([event("session_status_change", at=AT, change_type=1, **changed)])
    assert world.inbox.given_back == []
    await world.fetch([event("session_status_change", at=AT + 1, change_type=3, **changed)])

    assert [(place.account, place.id) for place in world.inbox.given_back] == [(DESK, CUSTOMER)]


# ---- kinds


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"msgtype": "image", "image": {"media_id": "m"}}, Media("image", "m")),
        ({"msgtype": "voice", "voice": {"media_id": "m"}}, Media("voice", "m", media_type="audio/amr")),
        ({"msgtype": "file", "file": {"media_id": "m"}}, Media("file", "m")),
        (
            {"msgtype": "location", "location": {"latitude": 23.1, "longitude": 113.3, "name": "广州"}},
            Location(23.1, 113.3, "广州"),
        ),
        ({"msgtype": "link", "link": {"title": "题", "desc": "述", "url": "http://x/"}}, Link("http://x/", "题", "述")),
        ({"msgtype": "merged_msg", "merged_msg": {"item": []}}, Event("merged_msg")),
        ({"msgtype": "hologram", "hologram": {}}, Event("hologram")),
    ],
)
async def test_every_kind_is_recorded(make: Make, fields: dict[str, Any], part: Part) -> None:
    world = await make()
    await world.fetch([said(**fields)])

    assert [(m.parts, m.addressed) for m in world.inbox.messages] == [((part,), True)]


async def test_of_many_messages_without_words_at_most_one_is_answered(make: Make) -> None:
    """Each answer costs one of the five that a question allows."""
    world = await make()
    pictures = [said(msgtype="image", image={"media_id": str(n)}) for n in range(5)]
    await world.fetch(pictures)
    assert [m.addressed for m in world.inbox.messages] == [False] * 4 + [True]

    await world.fetch([said(msgtype="hologram"), said("这是什么")])
    assert world.asked[1:] == ["这是什么"]


async def test_an_entry_that_can_not_be_read_keeps_no_other_back(make: Make) -> None:
    world = await make()
    broken = [{}, {"msgid": ""}, said() | {"text": "words"}, said(send_time="soon"), said(msgid=None)]
    await world.fetch([*broken, said(), said("你好")])

    assert world.asked == ["你好"]


# ---- the callback


async def test_the_check_of_the_url_is_answered(make: Make) -> None:
    world = await make()
    async with world.http.get(world.account.url, params=world.account.check("161614")) as response:
        assert (response.status, await response.text()) == (200, "161614")


async def test_a_bell_that_is_not_proven_is_not_followed(make: Make) -> None:
    world = await make()
    world.service.wait(DESK, [said("没人按铃")])
    bell = xml.fields({"ToUserName": CORP, "MsgType": "event", "Event": "kf_msg_or_event", "OpenKfId": DESK})
    query, body = world.account.signed(bell)
    cases = [
        (query | {"msg_signature": "0" * 40}, body),
        replace(world.account, receive_id="wwother").signed(bell),
        world.account.signed(bell, at=AT - 3600),
    ]
    assert [(await post(world.http, world.account, *case)).status for case in cases] == [403, 403, 403]
    assert world.service.of(SYNC) == []


async def test_other_events_are_acknowledged_and_left_alone(make: Make) -> None:
    world = await make()
    for other in ({"Event": "change_contact"}, {"Event": "kf_msg_or_event"}):
        pushed = await push(world.http, world.account, xml.fields({"ToUserName": CORP, **other}), "")
        assert pushed.statuses == [200]
    assert world.service.calls == []


async def test_a_channel_that_ends_stops_fetching(make: Make) -> None:
    world = await make()
    world.service.refuse(SYNC, -1)
    world.service.wait(DESK, [said("你好")])
    await ring(world.http, world.account, DESK)
    await until(lambda: bool(world.service.of(SYNC)))
    await world.channel.close()

    assert world.channel._desks._tasks == {}
