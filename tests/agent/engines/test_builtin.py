"""A model with tools: how often it is asked, what it is shown, and what of its words a person sees."""

import json
from contextlib import aclosing
from dataclasses import replace

import pytest

from agent.engine import Done, EngineFailed
from agent.engines.builtin import Builtin
from agent.models.openai import ChatModel
from agent.models.scripted import Asked, Reply, Script, Scripted
from hub.message import Choice
from hub.turn import Answer, Delta, Restarted, ToolUsed, TurnEvent
from tests.agent.library import LOOK, REFUNDS, SHIPPING, Strict, Toolbox, answer, context, events, shown, turn


async def said(
    script: Script, question: str = "满多少元免运费?", **made: object
) -> tuple[list[TurnEvent], list[Asked]]:
    async with Scripted(script) as model:
        engine = Builtin(ChatModel("scripted", base_url=model.url, api_key="sk-secret"))
        try:
            given = made.pop("context", None) or context(question, SHIPPING, REFUNDS)
            found = await events(engine.answer(turn(question, **made), given))  # type: ignore[arg-type]
        finally:
            await engine.close()
        return found, model.asked


async def test_words_are_shown_as_they_come() -> None:
    found, _ = await said(lambda asked: Reply("满九十九元免运费 [1]。", pieces=3))

    assert shown(found) == answer(found).text == "满九十九元免运费 [1]。"


async def test_words_are_shown_while_the_model_still_speaks() -> None:
    async with Scripted(lambda asked: Reply("满九十九元免运费", pieces=3, pause=60)) as model:
        engine = Builtin(ChatModel("scripted", base_url=model.url))
        async with aclosing(engine.answer(turn("满多少元免运费?"), context("满多少元免运费?", SHIPPING))) as found:
            first = await anext(found)
        await engine.close()

    assert first == Delta("满九十")


async def test_the_last_message_is_the_person_s_words_and_nothing_else() -> None:
    _, asked = await said(lambda asked: Reply("好"), history=(("person", "你好"), ("agent", "您好！")))

    roles = [message["role"] for message in asked[0].body["messages"]]
    assert roles == ["system", "user", "assistant", "user"]
    assert asked[0].body["messages"][-1]["content"] == "满多少元免运费?"


async def test_no_key_is_in_the_prompt() -> None:
    _, asked = await said(lambda asked: Reply("好"))

    assert "sk-secret" not in json.dumps(asked[0].body)


async def test_a_tool_brings_its_result_to_the_model() -> None:
    tools = Toolbox((LOOK,), (("look", "看到了三件"),))

    def script(asked: Asked) -> Reply:
        return Reply(f"结果是{asked.results[0]}") if asked.results else Reply("我看看。", (("look", '{"at": "库存"}'),))

    found, asked = await said(script, context=context("库存?", tools=tools))

    assert tools.called == [("look", '{"at": "库存"}')]
    assert answer(found).text == shown(found) == "我看看。\n\n结果是看到了三件"
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["ok"]
    assert asked[1].body["messages"][-2]["tool_calls"][0]["function"]["name"] == "look"


async def test_a_tool_that_waits_for_a_yes_ends_the_turn_with_its_question() -> None:
    question = Answer("要取消订单 1024 吗？", choices=(Choice("确认", "Y"),))
    tools = Toolbox((LOOK,), question=question)

    found, asked = await said(
        lambda asked: Reply("我来取消。", (("look", "{}"), ("look", "{}"))), context=context("取消订单", tools=tools)
    )

    assert (answer(found).text, answer(found).choices) == (question.text, question.choices)
    assert shown(found) == ""
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["pending"]
    assert len(tools.called) == len(asked) == 1


async def test_what_was_done_after_a_yes_is_told_to_the_model_as_the_result_of_its_call() -> None:
    done = Done("cancel", '{"order": "1024"}', "已取消", "订单已取消。")

    found, asked = await said(
        lambda asked: Reply(f"好了：{asked.results[0]}"), "Y", context=replace(context("Y"), done=done)
    )

    messages = asked[0].body["messages"]
    assert answer(found).text == "好了：已取消"
    assert [message["role"] for message in messages[-3:]] == ["user", "assistant", "tool"]
    assert messages[-2]["tool_calls"][0]["function"] == {"name": "cancel", "arguments": '{"order": "1024"}'}


async def test_a_tool_that_is_refused_has_not_failed() -> None:
    found, asked = await said(
        lambda asked: Reply("请先绑定") if asked.results else Reply(calls=(("look", "{}"),)),
        context=context("?", tools=Strict((LOOK,))),
    )

    assert "/link" in asked[1].results[0]
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["refused"]


@pytest.mark.parametrize("call", [("no_such_tool", "{}"), ("look", '{"broken')])
async def test_a_call_that_can_t_be_made_is_told_to_the_model(call: tuple[str, str]) -> None:
    found, asked = await said(
        lambda asked: Reply("那就算了") if asked.results else Reply(calls=(call,)),
        context=context("?", tools=Toolbox((LOOK,))),
    )

    assert answer(found).text == "那就算了"
    assert asked[1].results == ("there is no such tool",)
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["failed"]


async def test_a_model_in_love_with_its_tools_is_stopped() -> None:
    tools = Toolbox((LOOK,), (("look", "…"),))

    found, asked = await said(
        lambda asked: Reply(calls=(("look", "{}"),)) if asked.tools else Reply("够了"),
        context=context("?", tools=tools, steps=4),
    )

    assert answer(found).text == "够了"
    assert [asked_.tools for asked_ in asked] == [["look"], ["look"], ["look"], []]


async def test_a_model_that_asks_for_everything_at_once_gets_four() -> None:
    tools = Toolbox((LOOK,), (("look", "…"),))

    await said(
        lambda asked: Reply("好") if asked.results else Reply(calls=(("look", "{}"),) * 9),
        context=context("?", tools=tools),
    )

    assert len(tools.called) == 4


async def test_marks_of_passages_that_are_not_there_are_taken_out() -> None:
    found, _ = await said(lambda asked: Reply("四十八小时内 [2][97]。", pieces=1))

    assert answer(found).text == shown(found) == "四十八小时内 [2]。"
    assert [(c.label, c.title) for c in answer(found).citations] == [("2", "退货政策")]


async def test_an_answer_without_marks_gets_the_source_that_holds_it() -> None:
    found, _ = await said(lambda asked: Reply("满九十九元免运费，否则运费为八元。"))

    assert answer(found).text == shown(found) == "满九十九元免运费，否则运费为八元。[1]"
    assert [c.title for c in answer(found).citations] == ["配送说明"]


async def test_thoughts_are_not_shown() -> None:
    found, _ = await said(lambda asked: Reply("<think>他问运费…</think>\n\n好的。", pieces=2))

    assert answer(found).text == shown(found) == "好的。"


async def test_a_thought_whose_beginning_was_swallowed_is_taken_back() -> None:
    found, _ = await said(lambda asked: Reply("他问运费……</think>好的。", pieces=2))

    assert Restarted() in found
    assert answer(found).text == shown(found) == "好的。"


async def test_the_answer_says_what_it_cost() -> None:
    found, _ = await said(lambda asked: Reply("好"))
    usage = answer(found).usage

    assert (usage.model, usage.input_tokens, usage.output_tokens) == ("scripted", 7, 5)
    assert usage.seconds > 0


@pytest.mark.parametrize("text", ["", "   \n ", "<think>…</think>", "[97]"])
async def test_an_answer_without_words_is_none(text: str) -> None:
    with pytest.raises(EngineFailed, match="empty"):
        await said(lambda asked: Reply(text))


async def test_a_model_that_can_t_know_says_so_with_a_flag() -> None:
    found, _ = await said(lambda asked: Reply("资料里没有。"), context=context("夸克?", SHIPPING, confidence=0.1))

    assert isinstance(found[-1], Answer)
    assert found[-1].refused
