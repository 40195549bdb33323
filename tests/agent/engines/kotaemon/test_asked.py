"""What the worker is asked, and what is read out of an agent's words."""

import json

import pytest

from agent.engine import ToolSpec
from agent.engines.kotaemon.asked import arguments, asked, words
from tests.agent.engines.kotaemon.real import section
from tests.agent.library import LOOK, SHIPPING, Toolbox, context, turn

TWO = ToolSpec("two", "", '{"type": "object", "properties": {"a": {}, "b": {}}}')


@pytest.mark.parametrize(
    ("written", "tool", "given"),
    [
        ('{"at": "库存"}', LOOK, '{"at": "库存"}'),
        ('```json\n{"at": "库存"}\n```', LOOK, '{"at": "库存"}'),
        ('{"at": "库存"}\n我再想想', LOOK, '{"at": "库存"}'),
        ("库存", LOOK, '{"at": "库存"}'),
        ('"库存"', LOOK, '{"at": "库存"}'),
        ("3", LOOK, '{"at": 3}'),
        ("2026-11-25", LOOK, '{"at": "2026-11-25"}'),
        ("a, b", TWO, "a, b"),
        ("", TWO, "{}"),
        ("x", None, "x"),
    ],
)
def test_a_tool_s_input_is_read_as_its_arguments(written: str, tool: ToolSpec | None, given: str) -> None:
    assert arguments(written, tool) == given


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Thought: 知道了\nFinal Answer: 满九十九元。", "满九十九元。"),
        ("满九十九元。", "满九十九元。"),
        ("Thought: 满九十九元。", "满九十九元。"),
    ],
)
def test_only_the_answer_is_for_the_person(text: str, said: str) -> None:
    assert words(text) == said


def test_the_hub_s_rules_passages_and_history_come_before_what_the_agent_writes() -> None:
    given = turn("那运费呢?", history=(("person", "你好"), ("agent", "您好！")), memory=("住在杭州",))
    told = asked(given, context("那运费呢?", SHIPPING, tools=Toolbox((LOOK,))), section("http://m").model, "react")

    assert [said["role"] for said in told["messages"]] == ["system", "user", "assistant"]
    assert {"九十九元", "住在杭州"} <= {
        word for word in ("九十九元", "住在杭州") if word in told["messages"][0]["text"]
    }
    assert told["question"] == "那运费呢?"
    assert json.dumps(told)
