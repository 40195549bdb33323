"""What WeChat and WeCom push, as the hub understands it."""

import random
from contextlib import suppress
from datetime import UTC, datetime

import pytest

from channels.kit import xml
from channels.kit.pushed import Push, Want, decode
from channels.simulators.wechat_oa import message
from hub.errors import Refusal, Unreadable
from hub.message import Action, Conversation, Event, InboundMessage, Link, Location, Media, Part, Text
from hub.person import Identity

OPENID, AT = "oA", 1_700_000_000


def decoded(kind: str, **fields: str) -> Push:
    return decode(xml.read(message(OPENID, kind, at=AT, **fields)), channel="oa", account="wx1")


def test_a_text_is_whole_and_under_its_message_id() -> None:
    pushed = decoded("text", Content=" 你好\n[微笑] /::) 😀 ", MsgId="23456")

    assert pushed == Push(
        InboundMessage(
            key="23456",
            conversation=Conversation("oa", "wx1", OPENID),
            sender=Identity("oa", "wx1", OPENID),
            parts=(Text(" 你好\n[微笑] /::) 😀 "),),
            sent_at=datetime.fromtimestamp(AT, UTC),
        ),
        to="gh_000000000000",
        want="reply",
    )


@pytest.mark.parametrize(
    ("kind", "fields", "part", "want"),
    [
        ("text", {"Content": " \n"}, Text(" \n"), "nothing"),
        ("image", {"MediaId": "m", "PicUrl": "http://x"}, Media("image", "m"), "reply"),
        (
            "voice",
            {"MediaId": "m", "Recognition": "几点开门"},
            Media("voice", "m", media_type="audio/amr", words="几点开门"),
            "reply",
        ),
        ("voice", {"MediaId": "m"}, Media("voice", "m", media_type="audio/amr"), "reply"),
        ("shortvideo", {"MediaId": "m"}, Media("video", "m"), "reply"),
        (
            "location",
            {"Location_X": "23.1", "Location_Y": "113.3", "Label": "广州"},
            Location(23.1, 113.3, "广州"),
            "reply",
        ),
        ("location", {"Location_X": "north"}, Event("location"), "reply"),
        ("link", {"Title": "题", "Url": "http://x/"}, Link("http://x/", "题"), "reply"),
        ("Hologram", {"Beam": "x"}, Event("hologram"), "reply"),
        ("event", {"Event": "subscribe", "EventKey": "qrscene_1"}, Event("subscribe", "qrscene_1"), "welcome"),
        ("event", {"Event": "unsubscribe"}, Event("unsubscribe"), "nothing"),
        ("event", {"Event": "CLICK", "EventKey": "营业时间"}, Action("营业时间"), "reply"),
        ("event", {"Event": "CLICK"}, Event("click"), "nothing"),
        ("event", {"Event": "VIEW", "EventKey": "http://x/"}, Event("view", "http://x/"), "nothing"),
        ("event", {"Event": "SCAN", "EventKey": "7"}, Event("scan", "7"), "nothing"),
        ("event", {"Event": "LOCATION", "Latitude": "1"}, Event("location"), "nothing"),
        ("event", {"Event": "brand_new"}, Event("brand_new"), "nothing"),
        ("event", {}, Event(""), "nothing"),
    ],
)
def test_every_kind_becomes_a_part_and_says_who_answers(
    kind: str, fields: dict[str, str], part: Part, want: Want
) -> None:
    pushed = decoded(kind, **fields)

    assert (pushed.message.parts, pushed.want, pushed.message.addressed) == ((part,), want, want == "reply")


def test_two_clicks_in_one_second_are_two_messages() -> None:
    one, other = decoded("event", Event="CLICK", EventKey="A"), decoded("event", Event="CLICK", EventKey="B")

    assert one.message.key != other.message.key


def test_the_id_of_something_that_we_sent_is_not_the_id_of_a_message() -> None:
    """TEMPLATESENDJOBFINISH carries MsgID, the id of the template message."""
    job = decoded("event", Event="TEMPLATESENDJOBFINISH", MsgID="777", Status="success")

    assert job.message.key == f"event:{OPENID}:{AT}:TEMPLATESENDJOBFINISH:::777"


@pytest.mark.parametrize("missing", ["FromUserName", "ToUserName", "MsgType"])
def test_a_body_that_is_no_message_is_refused(missing: str) -> None:
    fields = xml.read(message(OPENID, "text", Content="x"))
    del fields[missing]

    with pytest.raises(Unreadable):
        decode(fields, channel="oa", account="wx1")


def test_a_time_that_is_none_is_left_out() -> None:
    for time in ("", "soon", "-1", "9" * 30):
        fields = xml.read(message(OPENID, "text", Content="x")) | {"CreateTime": time}
        assert decode(fields, channel="oa", account="wx1").message.sent_at is None


def test_ten_thousand_damaged_bodies_are_read_or_refused() -> None:
    chance = random.Random(1)
    kinds = [message(OPENID, kind, at=AT, Content="你好", Event=kind) for kind in ("text", "event", "location", "x")]
    for _ in range(10_000):
        body = bytearray(chance.choice(kinds))
        for _ in range(chance.randint(1, 4)):
            at = chance.randrange(len(body))
            match chance.randrange(3):
                case 0:
                    body[at] = chance.randrange(256)
                case 1:
                    del body[at : at + chance.randrange(1, 40)]
                case _:
                    body[at:at] = chance.choice([b"<", b"]]>", b"\0", b"<!DOCTYPE a>", b"&a;", b"\xff", b"</xml>"])
            body = body or bytearray(b"<")
        with suppress(Refusal):
            assert decode(xml.read(bytes(body)), channel="oa", account="wx1").message.key
