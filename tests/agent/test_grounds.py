"""Whether an answer says what its sources say."""

import pytest

from agent.engine import Shelf
from agent.grounds import grounded, numbers, statements
from tests.agent.library import HOURS, PASSAGES, REFUNDS, SHIPPING


def said(text: str, given: str = "") -> str:
    """[1] is about shipping, [2] about refunds, [3] about opening hours."""
    return grounded(text, Shelf(list(PASSAGES)), given)


@pytest.mark.parametrize(
    "text",
    [
        "满九十九元免运费 [1]。",
        "满 99 元免运费。[1]",
        "偏远地区要多两天[1]，退款在 48 小时内原路返回[2]。",
        "您好！满99元就包邮。[1] 还有别的问题吗？",
        "1. 标准配送需要 3 到 5 个工作日\n2. 偏远地区另加 2 天 [1]\n",
        "Free shipping from 99 yuan, otherwise 8 yuan [1].",
        "不行。[2]",
        "门店上午 9 点开门，晚上9点关门 [3]",
    ],
)
def test_what_the_sources_say_stays_as_it_is(text: str) -> None:
    assert said(text) == text.strip()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("满 199 元免运费。[1]", ""),
        ("满 99 元免运费。[1]否则运费为 18 元。[1]", "满 99 元免运费。[1]"),
        ("满 99 元免运费，\n- 运费 80 元 [1]\n- 偏远地区另加两天 [1]", "满 99 元免运费，\n- 偏远地区另加两天 [1]"),
        ("退款在 72 小时内返回 [2]，七天内可以无理由退货 [2]。", "七天内可以无理由退货 [2]。"),
        ("满九十八元免运费。[1]", ""),
        ("会员日是 2026 年 5 月 17 日。[1]", ""),
        ("满 199 元免运费，否则运费为八元。满 99 元免运费。[1]", "满 99 元免运费。[1]"),
    ],
)
def test_a_statement_whose_numbers_stand_nowhere_is_not_said(text: str, left: str) -> None:
    assert said(text) == left


def test_numbers_may_come_from_the_question_and_from_tools() -> None:
    text = "您的订单 20260417 已发货，满九十九元免运费。[1]"

    assert said(text) == ""
    assert said(text, given='{"order": "20260417", "status": "已发货"}') == text


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("满九十九元免运费。[2]", "满九十九元免运费。[1]"),
        ("满九十九元免运费 [2]。", "满九十九元免运费 [1]。"),
        ("退款在仓库验收后四十八小时内原路返回。[1][3]", "退款在仓库验收后四十八小时内原路返回。[2]"),
        ("满九十九元免运费。[1][3]", "满九十九元免运费。[1]"),
    ],
)
def test_a_mark_leads_to_the_passage_that_says_it(text: str, right: str) -> None:
    assert said(text) == right


def test_a_mark_that_no_passage_bears_out_is_taken_away() -> None:
    assert (
        said("满九十九元免运费。[1]我们的机器人会讲笑话和唱歌。[1]")
        == "满九十九元免运费。[1]我们的机器人会讲笑话和唱歌。"
    )


def test_an_answer_none_of_which_is_borne_out_says_nothing() -> None:
    assert said("量子色动力学的渐近自由是格罗斯等人发现的。[1]") == ""


@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("1,599.00 元", {"1599"}),
        ("下午四点", {"4"}),
        ("下午 4:30", {"4", "16", "30"}),
        ("二〇二六年零五月", {"2026", "5"}),
        ("AP400", {"400"}),
        ("0.50", {"0.5"}),
        ("９９％", {"99"}),
    ],
)
def test_numbers_are_the_same_however_they_are_written(text: str, held: set[str]) -> None:
    assert held <= numbers(text)


@pytest.mark.parametrize("text", ["", "一。二。[1]\n\n三！[2][3] 四", "a.b 3.5 c. d", "[1]", "。\n。", "A[1]，B[2]。C"])
def test_the_statements_are_the_whole_answer(text: str) -> None:
    assert "".join(statement.text for statement in statements(text)) == text


def test_no_statement_is_changed_by_being_looked_at_twice() -> None:
    for passage in (SHIPPING, REFUNDS, HOURS):
        once = said(f"{passage.text}[1]")

        assert said(once) == once
