"""Plain replies: where they go, what happens when Feishu refuses them, and that they come once."""

import asyncio

import pytest

from channels.simulators.feishu import Fault, Refused
from hub.errors import Blocked, Closed, Faulty, Impossible
from hub.fit import fit
from hub.message import Choice, Citation, Reply
from hub.texts import texts
from tests.channels.feishu.conftest import Make
from tests.channels.feishu.messages import reply

TABLE = "| a | b |\n|---|---|\n| T{n}CELL | 2 |"


async def test_a_reply_is_a_card_that_answers_the_message(world: Make) -> None:
    w = await world()
    message = await w.ask()
    receipt = await w.channel.send(w.answer(message, "**好**"))
    (shown,) = w.shown

    assert (shown.text, shown.kind, shown.chat, shown.reply_to) == ("**好**", "interactive", "oc_ming", message.key)
    assert receipt.id == shown.id
    assert not shown.in_thread
    assert not w.platform.broken


async def test_in_a_thread_the_reply_stands_in_the_thread(world: Make) -> None:
    w = await world()
    message = await w.ask(group=True, thread_id="omt_1")
    await w.channel.send(w.answer(message))

    assert w.shown[0].in_thread


async def test_what_nobody_asked_for_goes_into_the_chat(world: Make) -> None:
    w = await world()
    await w.channel.send(reply(chat="oc_g/omt_1/ou_li", group=True))

    assert (w.shown[0].chat, w.shown[0].reply_to) == ("oc_g", "")


@pytest.mark.parametrize("code", [230011, 230050, 230054, 230071, 230001])
async def test_where_the_question_can_not_be_answered_the_chat_gets_the_reply(world: Make, code: int) -> None:
    w = await world()
    message = await w.ask()
    w.platform.faults.append(Fault("/reply", Refused(code)))
    await w.channel.send(w.answer(message))

    assert [(s.chat, s.reply_to, s.text) for s in w.shown] == [("oc_ming", "", "答案")]


async def test_a_choice_is_a_button_whose_click_comes_back_as_words(world: Make) -> None:
    w = await world()
    message = await w.ask()
    await w.channel.send(w.answer(message, choices=(Choice("好", "确认 A-1"),)))
    (value,) = w.shown[0].buttons
    await w.post(w.platform.account.click(value, message=w.shown[0].id, chat="oc_ming"))

    assert w.inbox.messages[-1].text == "确认 A-1"
    assert w.inbox.messages[-1].conversation == message.conversation


async def test_sent_again_a_message_is_the_same_message(world: Make) -> None:
    w = await world()
    message = await w.ask()
    first = await w.channel.send(w.answer(message))
    again = await w.channel.send(w.answer(message, retry=True))
    await w.channel.send(w.answer(message, "另一句", id=8, event=3))

    assert first == again
    assert [s.text for s in w.shown] == ["答案", "另一句"]


async def test_a_hub_that_began_anew_is_not_taken_for_the_one_before(world: Make) -> None:
    w = await world()
    for _ in range(2):
        await w.channel.send(w.answer(await w.ask()))  # the same row, another question

    assert len(w.shown) == 2


async def test_a_breakdown_while_the_token_is_asked_for_is_a_fault(world: Make) -> None:
    w = await world()
    message = await w.ask()
    w.platform.faults.append(Fault("/internal", cut="before"))
    with pytest.raises(Faulty):
        await w.channel.send(w.answer(message))
    w.platform.faults.append(Fault("/internal", Refused(0)))
    with pytest.raises(Faulty, match="no token"):
        await w.channel.send(w.answer(message))
    await w.channel.send(w.answer(message))

    assert len(w.shown) == 1


async def test_an_answer_that_got_lost_is_a_fault_that_may_be_repeated(world: Make) -> None:
    w = await world()
    message = await w.ask()
    for cut in ("before", "after"):
        w.platform.faults.append(Fault("/reply", cut=cut))
        with pytest.raises(Faulty):
            await w.channel.send(w.answer(message))
    await w.channel.send(w.answer(message))

    assert len(w.shown) == 1


@pytest.mark.parametrize("code", [230020, 11232, 99991400, 230049])
async def test_too_often_is_a_fault_and_no_refusal_of_the_receiver(world: Make, code: int) -> None:
    w = await world()
    message = await w.ask()
    w.platform.faults.append(Fault("/reply", Refused(code)))

    with pytest.raises(Faulty) as error:
        await w.channel.send(w.answer(message))
    assert error.value.code == str(code)
    assert w.shown == []


@pytest.mark.parametrize("status", [400, 429])
async def test_feishu_says_how_long_to_wait(world: Make, status: int) -> None:
    w = await world()
    message = await w.ask()
    w.platform.faults.append(Fault("/reply", Refused(99991400, status=status, headers={"x-ogw-ratelimit-reset": "7"})))

    with pytest.raises(Faulty) as error:
        await w.channel.send(w.answer(message))
    assert error.value.after == 7.0


async def test_a_fault_inside_feishu_is_a_fault(world: Make) -> None:
    w = await world()
    message = await w.ask()
    w.platform.faults.append(Fault("/reply", Refused(2200, status=500)))

    with pytest.raises(Faulty):
        await w.channel.send(w.answer(message))


@pytest.mark.parametrize(("code", "error"), [(230002, Closed), (230018, Closed), (230028, Impossible), (1, Impossible)])
async def test_refusals_mean_what_they_say(world: Make, code: int, error: type[Exception]) -> None:
    w = await world()
    message = await w.ask()
    w.platform.faults.append(Fault("/reply", Refused(code)))

    with pytest.raises(error):
        await w.channel.send(w.answer(message))
    assert w.shown == []


async def test_a_missing_permission_is_named_to_the_operator_until_it_is_there(world: Make) -> None:
    w = await world()
    message = await w.ask()
    said = "Access denied. One of the following scopes is required: [im:message, im:message:send_as_bot]. 应用尚未开通"
    w.platform.faults.append(Fault("/reply", Refused(99991672, said)))

    with pytest.raises(Blocked) as error:
        await w.channel.send(w.answer(message))
    assert "im:message, im:message:send_as_bot" in error.value.advice
    assert "im:message:send_as_bot" in w.warnings["api"]
    await w.channel.send(w.answer(message))
    assert w.warnings["api"] == ""


async def test_a_wrong_secret_is_named_to_the_operator(world: Make) -> None:
    w = await world()
    message = await w.ask()
    w.platform.account.app_secret = "changed"

    with pytest.raises(Blocked) as error:
        await w.channel.send(w.answer(message))
    assert "app_secret" in error.value.advice


async def test_fifty_answers_at_once_share_one_token_and_one_refresh(world: Make) -> None:
    w = await world(limits=False, app_rate=1000)
    messages = [await w.ask(user=f"u{n}") for n in range(50)]
    tokens = "POST /open-apis/auth/v3/tenant_access_token/internal"

    async def answer_all(event: int) -> None:
        await asyncio.gather(*(w.channel.send(w.answer(m, id=n, event=event)) for n, m in enumerate(messages)))

    await answer_all(1)
    assert w.platform.calls[tokens] == 1
    w.platform.tokens.clear()
    await answer_all(2)
    assert w.platform.calls[tokens] == 2
    assert len(w.shown) == 100


async def test_messages_to_a_chat_keep_to_its_limit(world: Make) -> None:
    w = await world()
    message = await w.ask()
    await asyncio.gather(*(w.channel.send(w.answer(message, str(n), id=n)) for n in range(7)))

    assert len(w.shown) == 7
    assert not w.platform.broken


async def test_eight_tables_arrive_each_once(world: Make) -> None:
    w = await world()
    text = "\n\n".join(TABLE.replace("{n}", str(n)) for n in range(8))
    await w.channel.send(w.answer(await w.ask(), text))
    (shown,) = w.shown

    assert shown.kind == "interactive"
    assert [shown.text.count(f"T{n}CELL") for n in range(8)] == [1] * 8


async def test_tables_that_only_feishu_sees_are_taken_apart_as_well(world: Make) -> None:
    w = await world()
    code = "```\n" + "\n\n".join(TABLE.replace("{n}", str(n)) for n in range(8)) + "\n```"
    await w.channel.send(w.answer(await w.ask(), code))

    assert [w.shown[0].text.count(f"T{n}CELL") for n in range(8)] == [1] * 8


async def test_a_card_that_is_refused_arrives_as_a_text(world: Make) -> None:
    w = await world()
    w.platform.faults.append(Fault("/reply", Refused(230099, "ext=ErrCode: 200570"), times=2))
    await w.channel.send(w.answer(await w.ask(), f"**看**\n\n{TABLE}"))
    (shown,) = w.shown

    assert shown.kind == "text"
    assert "T{n}CELL" in shown.text


async def test_a_question_whose_card_is_refused_says_what_to_answer(world: Make) -> None:
    w = await world()
    w.platform.faults.append(Fault("/reply", Refused(230099, "ext=ErrCode: 200570"), times=1))
    choices = (Choice("确认", "Y#7", say="Y"), Choice("取消", "N#7", say="N"))
    await w.channel.send(w.answer(await w.ask(), "要开发票吗？", choices=choices))

    assert [(s.kind, s.text) for s in w.shown] == [("text", "要开发票吗？\n\n请回复：Y（确认） / N（取消）")]


async def test_a_text_that_grows_too_large_by_its_escapes_arrives_as_a_text(world: Make) -> None:
    w = await world()
    text = '"\\' * 12_000
    await w.channel.send(w.answer(await w.ask(), text))

    assert [(s.kind, s.text) for s in w.shown] == [("text", text)]


async def test_an_answer_of_the_full_size_fits_into_a_card(world: Make) -> None:
    w = await world()
    most = w.channel.traits.text_bytes
    assert most is not None
    text = ("汉" * 20 + "\n") * (most // 61)
    await w.channel.send(w.answer(await w.ask(), text))

    assert [s.kind for s in w.shown] == ["interactive"]


async def test_sources_stand_below_the_answer_numbered_and_can_be_clicked(world: Make) -> None:
    w = await world()
    cited = (Citation("1", "年假制度", "https://wiki.cn/leave", "十二天"), Citation("2", "手册", "", "三天"))
    (piece,) = fit(Reply("每年十二天 [1]，提前三天 [2]。", cited), w.channel.traits, texts("zh"))
    message = await w.ask()
    await w.channel.send(w.answer(message, piece.text, citations=piece.citations))
    below = w.shown[0].text.partition("来源：")[2]

    assert "[1] [年假制度](https://wiki.cn/leave)" in below
    assert "[2] 手册" in below
