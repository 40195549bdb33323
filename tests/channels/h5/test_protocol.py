"""The words of the protocol: what is read from a page, and what it is told."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.h5.protocol import Fault, Growing, Hello, Message, Ping, client_id, decode, encode, error, key, stored
from hub.channel import Recorded
from hub.message import Citation, Conversation, InboundMessage, OutboundMessage, Text
from hub.person import Identity
from hub.texts import texts

THERE = Conversation("web", "", "c0ffee")
WHO = Identity("web", "", "visitor:1")
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ('{"type":"hello"}', Hello(type="hello")),
        (
            '{"type":"hello","visitor":"v","identity":"j","last_event":7,"new":"key"}',
            Hello(type="hello", visitor="v", identity="j", last_event=7),
        ),
        ('{"type":"message","id":"1","text":" 你好 "}', Message(type="message", id="1", text=" 你好 ")),
        ('{"type":"ping"}', Ping(type="ping")),
    ],
)
def test_what_a_page_says_is_read(data: str, said: Hello | Message | Ping) -> None:
    assert decode(data, characters=100) == said
    assert decode(data.encode(), characters=100) == said


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
SAID = st.fixed_dictionaries(
    {"type": st.sampled_from(["hello", "message", "ping"])},
    optional=dict.fromkeys(("visitor", "identity", "last_event", "id", "text"), JSON),
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.binary(), JSON.map(json.dumps), SAID.map(json.dumps)))
def test_whatever_comes_is_read_or_refused(data: str | bytes) -> None:
    try:
        said = decode(data, characters=3)
    except Fault:
        return
    if isinstance(said, Message):
        assert 0 < len(said.text) <= 3
        assert said.text.strip()
        assert said.id


@given(st.text(min_size=1))
def test_an_id_survives_its_key(name: str) -> None:
    assert client_id(THERE, key(THERE, name)) == name


def test_a_key_of_another_conversation_has_no_id_here() -> None:
    assert client_id(THERE, "other:1") == ""


@given(st.text(alphabet=st.characters()))
def test_whatever_was_stored_can_be_told(text: str) -> None:
    said = InboundMessage(key(THERE, "1"), THERE, WHO, (Text(text),))
    reply = OutboundMessage(1, "t", THERE, WHO, text, 2, citations=(Citation(text, text, text, text),))
    told = [encode(stored(recorded)).encode() for recorded in (Recorded(1, said, AT), Recorded(2, reply, AT))]

    assert [json.loads(event)["event"] for event in told] == [1, 2]


def test_a_message_with_nothing_to_read_in_it_is_told_too() -> None:
    said = InboundMessage(key(THERE, "1"), THERE, WHO, ())

    assert stored(Recorded(1, said, AT)) == {
        "type": "accepted",
        "id": "1",
        "event": 1,
        "text": "",
        "at": "2026-01-02T03:04:05+00:00",
    }


@given(st.text(), st.text(alphabet=st.characters()))
def test_what_grows_travels_whole(turn: str, text: str) -> None:
    assert Growing.load(Growing(turn, text).dump()) == Growing(turn, text)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_wait_is_told_in_whole_seconds_and_never_too_short(language: str) -> None:
    told = error(Fault("rate_limited", seconds=11.2), texts("zh" if language == "zh" else "en"))

    assert told["seconds"] == 12
    assert "12" in told["message"]
