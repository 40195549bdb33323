"""Reading what the platform pushes, and replies that are valid whatever is in them."""

from contextlib import suppress
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wechatpy import parse_message

from channels.kit import xml
from channels.kit.harmless import untagged
from hub.errors import Unreadable


def test_fields_keep_their_white_space_and_nested_ones_do_not_disturb() -> None:
    body = b"<xml><Content><![CDATA[  a\n ]]></Content><Thing><Id>1</Id></Thing><A>x</A><A>y</A><B/></xml>"

    assert xml.read(body) == {"Content": "  a\n ", "Thing": "", "A": "x", "B": ""}


def test_a_document_type_inside_the_words_of_a_person_is_only_words() -> None:
    assert xml.read(b"<xml><C><![CDATA[<!DOCTYPE html>]]></C></xml>") == {"C": "<!DOCTYPE html>"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<xml><A>x</A>",
        b"<xml>\xff</xml>",
        b"\xff\xfe" + "<xml/>".encode("utf-16-le"),
        b"<xml>\x00</xml>",
        b"<xml/><xml/>",
        b'<!DOCTYPE xml [<!ENTITY a "b">]><xml><A>&a;</A></xml>',
        b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>',
        "<?xml version='1.0' encoding='utf-16'?><!DOCTYPE x []><xml/>".encode("utf-16"),
        b"<xml>" + b"<a>" * 50_000,
    ],
)
def test_what_is_no_plain_xml_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        xml.read(body)


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda t: f"<xml><A>{t}</A></xml>".encode("utf-8", "replace"))
)
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    with suppress(Unreadable):
        assert isinstance(xml.read(body), dict)


def test_deep_nesting_costs_nothing() -> None:
    deep = b"<xml>" + b"<a>" * 50_000 + b"x" + b"</a>" * 50_000 + b"<B>b</B></xml>"

    assert xml.read(deep)["B"] == "b"


@given(
    st.text(alphabet=st.characters(exclude_categories=()), max_size=200) | st.sampled_from(["]]>", "a]]]>", "]]]]>>"])
)
def test_a_reply_is_valid_whatever_is_said(text: str) -> None:
    root = ElementTree.fromstring(xml.reply(text, to="o]]>x", sender="gh", at=1_700_000_000))

    said = untagged(xml.clean(text)).replace("\r\n", "\n").replace("\r", "\n")
    assert [(child.tag, child.text or "") for child in root] == [
        ("MsgType", "text"),
        ("Content", said),
        ("FromUserName", "gh"),
        ("ToUserName", "o]]>x"),
        ("CreateTime", "1700000000"),
    ]


def test_only_what_can_not_be_sent_is_taken_out() -> None:
    assert xml.clean("前\0\b\x0b\ufffe]]>\ud800后\t\n👨‍👩‍👧") == "前]]>后\t\n👨‍👩‍👧"


def test_wechatpy_reads_what_the_simulators_push() -> None:
    body = xml.fields({"ToUserName": "gh", "FromUserName": "o", "MsgType": "text", "Content": "a]]>b", "MsgId": "7"})

    message = parse_message(body)
    assert (message.id, message.source, message.content) == (7, "o", "a]]>b")
