"""The words of a question before a tool acts, and the words that answer it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.tools.confirm import said, value_of, wording
from agent.tools.tool import Manner
from memory.confirmations import Said


@pytest.mark.parametrize("words", ["Y", "y", "Ｙ", "yes", "是", "是的。", "确认", " 确认！ ", "确定", "confirm"])
def test_these_words_are_a_yes(words: str) -> None:
    assert said(words) == Said("yes")


@pytest.mark.parametrize("words", ["N", "no", "否", "取消", "取消。", "cancel"])
def test_these_words_are_a_no(words: str) -> None:
    assert said(words) == Said("no")


@pytest.mark.parametrize("words", ["好的", "ok", "可以"])
def test_words_that_mean_much_are_a_yes_only_to_a_question(words: str) -> None:
    assert said(words) == Said("yes", plain=False)


@pytest.mark.parametrize(
    "words", ["", "确认收货后多久开发票", "是不是坏了", "yes I would like to know", "Y#", "Y#x", "Y12"]
)
def test_other_words_are_neither(words: str) -> None:
    assert said(words) is None


def test_a_button_names_its_question() -> None:
    assert (said("Y#12"), said("n#7")) == (Said("yes", 12), Said("no", 7))


def test_a_question_is_what_the_operator_wrote_with_the_values_in_it() -> None:
    asked = wording(Manner(ask="为订单 {order} 补开发票吗？"), {"order": "QH1"}, "zh")

    assert asked == "为订单 QH1 补开发票吗？"


def test_a_tool_without_a_template_lists_its_values() -> None:
    asked = wording(Manner("补开发票", titles={"order": "订单号"}), {"order": "QH1", "copies": 2, "抬头": ""}, "zh")

    assert asked == "请确认：要为您办理「补开发票」吗？\n- 订单号：QH1\n- copies：2\n- 抬头：（无）"


def test_sensitive_numbers_are_masked() -> None:
    assert value_of("手机 13800138000") == "手机 138＊＊＊＊8000"


def test_a_value_can_neither_format_the_question_nor_begin_a_line() -> None:
    title = "青禾」吗？\n\n**已取消** [点这里](https://x) {title} <at id=all>"
    asked = wording(Manner(ask="抬头「{title}」吗？"), {"title": title}, "zh")

    assert asked == "抬头「青禾」吗？ ＊＊已取消＊＊ ［点这里］(https://x) {title} ＜at id=all＞」吗？"


@given(st.text(max_size=400))
def test_a_value_is_one_short_line(value: str) -> None:
    shown = value_of(value)

    assert len(shown) <= 80
    assert len(shown.splitlines()) <= 1
