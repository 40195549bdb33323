"""What a robot message becomes."""

import contextlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.dingtalk.payload import decode, group_of, moment, session_of
from hub.errors import Unreadable
from hub.message import Conversation, Event, InboundMessage, Media, Part, Text
from hub.person import Evidence, Identity
from tests.channels.dingtalk.messages import ROBOT, robot_message, settings


def decoded(**fields: object) -> InboundMessage:
    message = decode(robot_message(**fields), settings(), "dd")  # type: ignore[arg-type]  # fields of the payload
    assert message is not None
    return message


def test_a_private_text_is_read_whole() -> None:
    assert decoded() == InboundMessage(
        key="msg1==",
        conversation=Conversation("dd", ROBOT, "staff1"),
        sender=Identity("dd", ROBOT, "staff1"),
        parts=(Text("你好"),),
        sent_at=datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC),
        evidence=(Evidence("staff_id", "dingcorp:staff1"),),
    )


def test_a_group_has_one_context_or_one_a_member() -> None:
    shared = decode(robot_message(group=True), settings(), "dd")
    own = decode(robot_message(group=True), settings(group_context="member"), "dd")

    assert shared is not None
    assert own is not None
    assert shared.conversation == Conversation("dd", ROBOT, "cidABC/x==", "group")
    assert own.conversation == Conversation("dd", ROBOT, "cidABC/x==|staff1", "group")
    assert group_of(own.conversation) == "cidABC/x=="


def test_somebody_from_outside_goes_by_the_sender_id_and_proves_nothing() -> None:
    message = decoded(senderStaffId=None)

    assert message.sender.user == message.conversation.id == "$:LWCP_v1:$abc"
    assert message.evidence == ()


def test_a_union_id_is_evidence_where_dingtalk_names_it() -> None:
    assert Evidence("dingtalk_union_id", "u1") in decoded(senderUnionId="u1").evidence


def test_the_context_keeps_the_session_webhook_and_its_end() -> None:
    context = decoded(sessionWebhook="https://oapi.dingtalk.com/x", sessionWebhookExpiredTime=5).context

    assert session_of(context).webhook == "https://oapi.dingtalk.com/x"
    assert session_of(context).until == 5
    assert decoded().context == ""


@pytest.mark.parametrize(
    ("msgtype", "content", "parts"),
    [
        ("audio", {"downloadCode": "c", "recognition": "几点开门"}, (Media("voice", "c", words="几点开门"),)),
        ("audio", {"downloadCode": "c"}, (Media("voice", "c"),)),
        ("picture", {"downloadCode": "c", "pictureDownloadCode": "p"}, (Media("image", "c"),)),
        ("video", {"downloadCode": "c", "duration": "5"}, (Media("video", "c"),)),
        ("file", {"downloadCode": "c", "fileName": "../../etc/passwd"}, (Media("file", "c", name="passwd"),)),
        ("file", {"downloadCode": "c", "fileName": "..\\a.txt"}, (Media("file", "c", name="a.txt"),)),
        (
            "richText",
            {"richText": [{"text": "看图 "}, {"type": "picture", "downloadCode": "c"}, {"text": "\n"}]},
            (Text("看图"), Media("image", "c")),
        ),
        ("unknownMsgType", {"unknownMsgType": "x"}, (Event("unknownmsgtype"),)),
        ("hologram", None, (Event("hologram"),)),
        ("video", "odd", (Event("video"),)),
    ],
)
def test_each_kind_has_its_parts(msgtype: str, content: object, parts: tuple[Part, ...]) -> None:
    assert decoded(msgtype=msgtype, content=content).parts == parts


def test_fields_that_nobody_reads_may_hold_anything() -> None:
    odd: dict[str, object] = {"hostingContext": {}, "conversationMsgContext": [{}], "atUsers": [None]}

    assert decoded(**odd) == decoded()


def test_a_message_for_another_robot_is_not_ours() -> None:
    assert decode(robot_message(robotCode="other"), settings(), "dd") is None


@pytest.mark.parametrize("odd", [None, [], "text", 5, {}, {"msgtype": "text"}, {"msgtype": "text", "text": None}])
def test_what_is_no_message_is_unreadable(odd: object) -> None:
    with pytest.raises(Unreadable):
        decode(odd, settings(), "dd")


@pytest.mark.parametrize("missing", ["msgId", "conversationId", "msgtype", "text"])
def test_a_message_without_its_essentials_is_unreadable(missing: str) -> None:
    with pytest.raises(Unreadable):
        decoded(**{missing: None})


def test_nobody_as_the_sender_is_unreadable() -> None:
    with pytest.raises(Unreadable):
        decoded(senderId=None, senderStaffId=None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(robot_message(content={}, sessionWebhookExpiredTime=1))), JSON))
def test_no_field_can_make_it_fail_in_another_way(fields: dict[str, object]) -> None:
    with contextlib.suppress(Unreadable):
        decode({**robot_message(content={}), **fields}, settings(), "dd")


@pytest.mark.parametrize("odd", [None, "", "soon", 10**30])
def test_a_time_that_is_none_is_left_out(odd: int | str | None) -> None:
    assert moment(odd) is None
