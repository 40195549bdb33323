"""A question with choices as a card with buttons, and what a press says."""

import json
from typing import Any

import dingtalk_stream
import pytest

from channels.dingtalk import buttons, frames
from channels.dingtalk.payload import decode
from channels.simulators.dingtalk import Fault, Shown
from channels.simulators.dingtalk.gateway import PRESSED
from hub.errors import Unreadable
from hub.message import Action, Choice, Conversation, InboundMessage, OutboundMessage
from hub.person import Evidence, Identity
from tests.channels.dingtalk.conftest import Make, World
from tests.channels.dingtalk.messages import ROBOT, settings
from tests.channels.dingtalk.test_cards import grown

CHOICES = (Choice("确认", "Y#7", say="Y"), Choice("取消", "N#7", say="N"))
CREATE = "createAndDeliver"
SPOKEN = "补开吗？\n\n请回复：Y（确认） / N（取消）"


def asked(w: World, **fields: Any) -> InboundMessage:
    message = decode(w.platform.message("请补开", **fields), w.channel.settings, "dd")
    assert message is not None
    return message


def question(message: InboundMessage, **more: Any) -> OutboundMessage:
    known: dict[str, Any] = {"choices": CHOICES, "reply_to": message.key, "context": message.context, **more}
    return OutboundMessage(1, "t1", message.conversation, message.sender, "补开吗？", 2, **known)


def test_the_topic_is_the_one_of_the_sdk() -> None:
    assert frames.PRESSED == PRESSED == dingtalk_stream.Card_Callback_Router_Topic


@pytest.mark.parametrize("group", ["", "cid+/group="])
async def test_a_question_is_a_card_and_a_press_is_what_the_person_says(world: Make, group: str) -> None:
    w = await world()
    message = asked(w, group=group)
    async with w.running():
        for _ in range(2):  # the second try finds the card of the first
            await w.channel.send(question(message))
        press = w.platform.press(w.platform.pressable, 1)
        for _ in range(2):
            assert await w.platform.gateway.push(press, topic=PRESSED)

    assert w.platform.shown == [Shown(group or "cidming=", "card", "补开吗？")]
    [pressed] = w.inbox.messages
    assert (pressed.conversation, pressed.sender, pressed.parts) == (
        message.conversation,
        message.sender,
        (Action("Y#7"),),
    )
    assert pressed.evidence == (Evidence("staff_id", "dingcorp:staff-ming"),)


async def test_another_member_presses_as_themselves(world: Make) -> None:
    w = await world()
    message = asked(w, group="cidgroup=")
    async with w.running():
        await w.channel.send(question(message))
        await w.platform.gateway.push(w.platform.press(w.platform.pressable, 1, user="mei"), topic=PRESSED)

    [pressed] = w.inbox.messages
    assert (pressed.conversation, pressed.sender) == (message.conversation, Identity("dd", ROBOT, "staff-mei"))


@pytest.mark.parametrize("fault", [Fault(CREATE, status=403, code="Forbidden.AccessDenied"), Fault(CREATE, status=400)])
async def test_where_no_card_is_taken_the_choices_are_words(world: Make, fault: Fault) -> None:
    w = await world()
    message = asked(w)
    w.platform.faults.append(fault)
    await w.channel.send(question(message))

    assert w.platform.shown == [Shown("cidming=", "session", SPOKEN)]


async def test_somebody_from_outside_gets_words(world: Make) -> None:
    w = await world()
    await w.channel.send(question(asked(w, senderStaffId=None)))

    assert [shown.text for shown in w.platform.shown] == [SPOKEN]


async def test_without_a_stream_connection_or_a_template_there_are_no_buttons(world: Make) -> None:
    webhook, bare = await world(transport="webhook"), await world(buttons_template_id="")

    assert [w.channel.traits.choices for w in (webhook, bare, await world())] == [False, False, True]


async def test_a_card_that_grew_before_says_that_the_question_follows(world: Make) -> None:
    w = await world(card_template_id="template")
    message = asked(w)
    live = await grown(w, message, "我看看")
    await w.channel.send(question(message, live=live.handle))
    card = w.platform.cards.cards[live.handle]

    assert (card.text, card.final, card.failed) == ("内容见下一条消息。", True, False)
    assert w.platform.broken == []


@pytest.mark.parametrize(
    "data",
    [
        None,
        {},
        {"outTrackId": "choice-p-1", "userId": "u", "content": "{"},
        {"outTrackId": "choice-p-1", "userId": "", "content": "{}"},
    ],
)
def test_what_is_no_press_is_refused(data: object) -> None:
    with pytest.raises(Unreadable):
        buttons.decode(data, settings(), "dd")


@pytest.mark.parametrize("handle", ["another", "choice-g-%%.1", "choice-g-_w==.1"])
def test_a_press_on_a_card_that_is_not_ours_is_left_alone(handle: str) -> None:
    content = json.dumps({"cardPrivateData": {"actionIds": ["Y#7"]}})

    assert buttons.decode({"outTrackId": handle, "userId": "u", "content": content}, settings(), "dd") is None


def test_each_member_may_have_a_context_of_their_own() -> None:
    place = Conversation("dd", ROBOT, "cidgroup=|asker", "group")
    sent = OutboundMessage(1, "t1", place, Identity("dd", ROBOT, "asker"), "补开吗？", 2, choices=CHOICES)
    content = json.dumps({"cardPrivateData": {"actionIds": ["Y#7"]}})
    press = {"outTrackId": buttons.handle_of(sent), "userId": "mei", "content": content}
    found = buttons.decode(press, settings(group_context="member"), "dd")

    assert found is not None
    assert found.conversation == Conversation("dd", ROBOT, "cidgroup=|mei", "group")
