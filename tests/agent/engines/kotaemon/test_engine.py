"""The real Kotaemon, asked by the hub: what it is shown, what it may do, and what of its words a person reads."""

import asyncio
import re
from contextlib import aclosing
from dataclasses import replace

import pytest

from agent.engine import Done, EngineFailed, EngineRefused, EngineTimedOut
from agent.models.scripted import Asked, Reply
from hub.message import Choice
from hub.turn import Answer, ToolUsed
from tests.agent.engines.kotaemon.real import HERE, kotaemon, speaking
from tests.agent.library import HOURS, LOOK, REFUNDS, SHIPPING, Strict, Toolbox, answer, context, events, turn

pytestmark = HERE
QUESTION = "满多少元免运费?"


def looking(asked: Asked) -> Reply:
    """A model that looks once, and says what it saw."""
    return Reply(f"结果是{asked.results[0]}") if asked.results else Reply("我看看。", (("look", '{"at": "库存"}'),))


async def test_an_agent_uses_tools_cites_and_knows_what_was_said() -> None:
    tools = Toolbox((LOOK,), (("look", "看到了三件"),))
    history = (("person", "你好"), ("agent", "您好！"))

    async with kotaemon(speaking(looking)) as (engine, model):
        found = await events(engine.answer(turn("库存?", history=history), context("库存?", SHIPPING, tools=tools)))
        cited = speaking(lambda asked: Reply("满九十九元免运费 [1][97]。"))
        model.script = cited
        said = answer(await events(engine.answer(turn(QUESTION), context(QUESTION, SHIPPING, REFUNDS))))
        model.script = speaking(lambda asked: Reply("满九十九元免运费，否则运费为八元。"))
        unmarked = answer(await events(engine.answer(turn(QUESTION), context(QUESTION, SHIPPING))))

    assert tools.called == [("look", '{"at": "库存"}')]
    assert answer(found).text == "结果是看到了三件"
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["ok"]
    assert [message["role"] for message in model.asked[0].body["messages"]] == ["system", "user", "assistant", "user"]
    assert (answer(found).usage.model, answer(found).usage.input_tokens) == ("scripted", 14)
    assert said.text == "满九十九元免运费 [1]。"
    assert [citation.title for citation in said.citations] == ["配送说明"]
    assert unmarked.text == "满九十九元免运费，否则运费为八元。[1]"


async def test_a_tool_that_waits_for_a_yes_ends_the_turn_and_its_outcome_is_told() -> None:
    question = Answer("要取消订单 1024 吗？", choices=(Choice("确认", "Y"),))
    tools = Toolbox((LOOK,), question=question)
    done = Done("cancel", '{"order": "1024"}', "已取消", "订单已取消。")

    async with kotaemon(speaking(looking)) as (engine, model):
        found = await events(engine.answer(turn("取消订单"), context("取消订单", tools=tools)))
        model.script = speaking(lambda asked: Reply(f"好了：{asked.results[0]}"))
        told = answer(await events(engine.answer(turn("Y"), replace(context("Y"), done=done))))

    assert (answer(found).text, answer(found).choices) == (question.text, question.choices)
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["pending"]
    assert len(tools.called) == 1
    assert told.text == "好了：已取消"


async def test_failures_of_tools_and_models_are_told_apart() -> None:
    failing = Toolbox((LOOK,))
    async with kotaemon(speaking(looking)) as (engine, model):
        found = await events(engine.answer(turn("库存?"), context("库存?", tools=failing)))
        assert answer(found).text == "结果是there is no such tool"
        assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["failed"]

        for reply, failure in (
            (Reply(status=401), EngineRefused),
            (Reply(status=500), EngineFailed),
            (Reply(" Final Answer: "), EngineFailed),
        ):
            model.script = lambda asked, reply=reply: reply  # type: ignore[misc]
            with pytest.raises(failure):
                await events(engine.answer(turn(QUESTION), context(QUESTION, SHIPPING)))


async def test_a_tool_that_is_refused_has_not_failed() -> None:
    async with kotaemon(speaking(looking)) as (engine, _):
        found = await events(engine.answer(turn("库存?"), context("库存?", tools=Strict((LOOK,)))))

    assert "/link" in answer(found).text
    assert [event.outcome for event in found if isinstance(event, ToolUsed)] == ["refused"]


async def test_an_agent_in_love_with_its_tools_is_told_to_answer() -> None:
    tools = Toolbox((LOOK,), (("look", "…"),))

    def script(asked: Asked) -> Reply:
        enough = "不能再使用工具" in asked.question
        return Reply(" Final Answer: 够了") if enough else Reply("\nAction: look\nAction Input: {}")

    async with kotaemon(script) as (engine, model):
        found = await events(engine.answer(turn("库存?"), context("库存?", tools=tools, steps=4)))

    assert answer(found).text == "够了"
    assert (len(model.asked), len(tools.called)) == (4, 3)


async def test_a_turn_that_nobody_waits_for_is_over_at_the_model_too() -> None:
    async with kotaemon(speaking(lambda asked: Reply("好", wait=60))) as (engine, model):
        task = asyncio.create_task(events(engine.answer(turn("在吗"), context("在吗", SHIPPING))))
        while not model.asked:  # noqa: ASYNC110 - a server tells nobody that it was asked
            await asyncio.sleep(0.02)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        model.script = speaking(lambda asked: Reply("在的"))
        assert answer(await events(engine.answer(turn("在吗"), context("在吗")))).text == "在的"


async def test_the_deadline_is_kept() -> None:
    async with kotaemon(speaking(lambda asked: Reply("好", wait=60))) as (engine, _):
        soon = asyncio.get_running_loop().time() + 0.5
        with pytest.raises(EngineTimedOut):
            await events(engine.answer(turn("在吗"), context("在吗", deadline=soon)))


async def test_a_hanging_turn_delays_nobody_else() -> None:
    def script(asked: Asked) -> Reply:
        return Reply("好", wait=60 if asked.question == "慢" else 0)

    async with kotaemon(speaking(script)) as (engine, _):
        slow = [asyncio.create_task(events(engine.answer(turn("慢", who=str(n)), context("慢")))) for n in range(30)]
        said = await asyncio.gather(*(events(engine.answer(turn(f"快{n}"), context("快"))) for n in range(30)))
        assert [answer(found).text for found in said] == ["好"] * 30
        assert not any(task.done() for task in slow)
        for task in slow:
            task.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_a_rewoo_agent_plans_uses_its_tools_and_concludes() -> None:
    def script(asked: Asked) -> Reply:
        if "#Plan1: 这一步做什么" in asked.question:
            return Reply('#Plan1: 看看\n#E1: look[{"at": "库存"}]\n#Plan2: 再看\n#E2: look[#E1]')
        return Reply("\n".join(re.findall(r"^#E\d: (.*)", asked.question, re.MULTILINE)))

    tools = Toolbox((LOOK,), (("look", "看到了三件"),))
    async with kotaemon(script, agent="rewoo") as (engine, _):
        found = await events(engine.answer(turn("库存?"), context("库存?", tools=tools)))

    assert answer(found).text == "看到了三件\n看到了三件"
    assert tools.called == [("look", '{"at": "库存"}'), ("look", '{"at": "看到了三件"}')]


async def test_nothing_of_a_turn_is_printed_or_logged(capfd: pytest.CaptureFixture[str]) -> None:
    async with kotaemon(speaking(lambda asked: Reply("已记下 13800000000"))) as (engine, _):
        asked = "我的手机号是 13800000000"
        async with aclosing(engine.answer(turn(asked), context(asked, HOURS))) as found:
            assert "13800000000" in answer([event async for event in found]).text

    assert "13800000000" not in "".join(capfd.readouterr())
