"""A question with choices is a card; pressing a button says what it stands for."""

from channels.kit import xml
from channels.simulators.pushes import post, push
from channels.simulators.wecom import press
from hub.fit import fit
from hub.message import Action, Choice, Reply
from hub.person import Identity
from hub.texts import texts
from tests.channels.callback import AT
from tests.channels.wecom.conftest import CORP, MEMBER, Make

CHOICES = (Choice("确认", "Y#7", say="Y"), Choice("取消", "N#7", say="N"))
SEND = "message/send"


async def test_a_question_with_choices_is_a_card_with_buttons(make: Make) -> None:
    world = await make()
    await world.channel.send(world.outbound("为订单补开发票吗？\n10 分钟内有效。", choices=CHOICES))

    [card] = world.wecom.cards
    assert world.wecom.sent == [(MEMBER, "为订单补开发票吗？\n10 分钟内有效。")]
    assert [(b["text"], b["key"]) for b in card["button_list"]] == [("确认", "Y#7"), ("取消", "N#7")]


async def test_a_long_first_line_stands_below_a_title(make: Make) -> None:
    world = await make()
    await world.channel.send(world.outbound("很长的问题" * 10, choices=CHOICES))

    assert world.wecom.sent == [(MEMBER, "请选择\n" + "很长的问题" * 10)]


async def test_the_same_message_is_the_same_task(make: Make) -> None:
    world = await make()
    for _ in range(2):
        await world.channel.send(world.outbound("补开吗？", choices=CHOICES))

    assert len({card["task_id"] for card in world.wecom.cards}) == 1


async def test_a_press_is_taken_once_and_the_button_says_so(make: Make) -> None:
    world = await make()
    await world.channel.send(world.outbound("补开吗？", choices=CHOICES))
    event = press(CORP, MEMBER, world.wecom.cards[0], 1, at=AT)
    done = await post(world.http, world.account, *world.account.signed(event))
    later = press(CORP, MEMBER, world.wecom.cards[0], 1, at=AT + 5)
    await push(world.http, world.account, later, MEMBER)

    assert world.account.read(done.body, MEMBER) == ""
    assert b"update_button" in world.account._opened(xml.read(done.body))
    assert [(m.parts, m.sender, m.addressed) for m in world.inbox.messages] == [
        ((Action("Y#7"),), Identity("staff", CORP, MEMBER), True)
    ]


async def test_a_card_that_is_not_taken_becomes_words(make: Make) -> None:
    world = await make()
    world.wecom.refuse(SEND, 42014, times=1)
    await world.channel.send(world.outbound("补开吗？", choices=CHOICES))

    assert world.wecom.sent == [(MEMBER, "补开吗？\n\n请回复：Y（确认） / N（取消）")]


async def test_choices_too_long_for_a_button_are_words(make: Make) -> None:
    world = await make()
    await world.channel.send(world.outbound("您是想问？", choices=(Choice("", "滤网多久换一次，能不能水洗"),)))

    assert world.wecom.sent == [(MEMBER, "您是想问？\n\n请回复：滤网多久换一次，能不能水洗")]


async def test_what_the_channel_adds_is_in_the_language_of_the_answer(make: Make) -> None:
    world = await make()
    await world.channel.send(world.outbound("Did you mean this?", choices=(Choice("", "How often is it cleaned?"),)))

    [(_, said)] = world.wecom.sent
    assert said == f"Did you mean this?\n\n{texts('en').choose.format(choices='How often is it cleaned?')}"


async def test_long_answers_and_channels_without_buttons_have_their_choices_in_words(make: Make) -> None:
    [long] = fit(Reply("长" * 200, choices=CHOICES), (await make()).channel.traits, texts("zh"))
    [off] = fit(Reply("补开吗？", choices=CHOICES), (await make(buttons=False)).channel.traits, texts("zh"))

    assert ("请回复：Y（确认）" in long.text, long.choices) == (True, ())
    assert ("请回复：Y（确认）" in off.text, off.choices) == (True, ())
