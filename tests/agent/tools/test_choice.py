"""Which tool a question asks for where no model says so: the one that its operator gave examples of, or none."""

import json

import pytest

from agent.engine import ToolSpec
from agent.tools.choice import choose
from tests.agent.library import turn

ORDERS = ToolSpec(
    "find_orders",
    "订单",
    json.dumps({"properties": {"product": {"type": "string", "enum": ["空气净化器", "加湿器"]}}}),
    ("我买的空气净化器没收到发票，帮我查一下", "帮我查一下我的订单", "我的订单到哪了"),
)
INVOICE = ToolSpec(
    "invoice",
    "开票",
    json.dumps(
        {
            "properties": {"order": {"type": "string", "pattern": "^(?:QH[0-9]{4})$", "title": "订单号"}},
            "required": ["order"],
        }
    ),
    ("请补开", "帮我补开发票", "请给我开票"),
)
TOOLS = (ORDERS, INVOICE)


@pytest.mark.parametrize(
    ("words", "name", "arguments"),
    [
        ("我上个月买的空气净化器一直没收到发票，能帮我查一下吗？", "find_orders", {"product": "空气净化器"}),
        ("我买的加湿器没收到发票，帮我查一下", "find_orders", {"product": "加湿器"}),
        ("查一下我的订单", "find_orders", {}),
        ("我的订单到哪里了？", "find_orders", {}),
        ("帮我补开一下发票 QH1024", "invoice", {"order": "QH1024"}),
    ],
)
def test_a_question_like_an_example_chooses_its_tool(words: str, name: str, arguments: dict[str, str]) -> None:
    chosen = choose(turn(words), words, TOOLS)

    assert chosen is not None
    assert (chosen.name, json.loads(chosen.arguments), chosen.missing) == (name, arguments, ())


@pytest.mark.parametrize(
    "words",
    [
        "发票怎么开",
        "补开发票要多久",
        "可以补开发票吗",
        "订单多久发货",
        "不要补开发票",
        "空气净化器保修多久",
        "我要退货",
        "你好",
        "我没买过空气净化器",
        "How do I get an invoice?",
    ],
)
def test_in_doubt_nothing_is_chosen(words: str) -> None:
    assert choose(turn(words), words, TOOLS) is None


def test_what_was_said_before_fills_in_what_is_not_said_again() -> None:
    history = (("agent", "订单 QH1024：空气净化器，发票未申请。"),)

    chosen = choose(turn("请补开", history=history), "请补开", TOOLS)

    assert chosen is not None
    assert json.loads(chosen.arguments) == {"order": "QH1024"}


@pytest.mark.parametrize("before", ["", "订单 QH1024 和 QH1025 都没有开票。"])
def test_a_value_that_is_not_there_or_not_the_only_one_is_asked_for(before: str) -> None:
    history = (("agent", before),) if before else ()

    chosen = choose(turn("请补开", history=history), "请补开", TOOLS)

    assert chosen is not None
    assert chosen.missing == ("订单号",)


def test_two_tools_that_are_alike_are_both_left_alone() -> None:
    twin = ToolSpec("twin", "", "{}", ORDERS.examples)

    assert choose(turn("我的订单到哪了"), "我的订单到哪了", (ORDERS, twin)) is None
