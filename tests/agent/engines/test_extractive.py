"""Answers without a model: which words are quoted, and how they read."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engine import Done, Passage
from agent.engines.extractive import answered
from hub.message import Citation
from hub.person import Language
from hub.texts import texts
from tests.agent.library import HOURS, REFUNDS, SHIPPING, context, turn

TABLE = """\
| 方式 | 时效 | 运费 |
|---|---|---|
| 标准快递 | 3–5 天 | 8 元 |
| 顺丰速运 | 1–2 天 | 18 元 |"""
STEPS = """\
退货按下面的步骤办理：

1. 在“我的订单”中点击“申请退货”。
2. 审核通过后寄回商品。
3. 验收后退款。"""
COUNTRIES = "目前支持以下地区：\n\n- 日本\n- 韩国\n- 新加坡\n\n其他地区暂不支持。"
FAQ = """\
问：可以换货吗？
答：可以。七天内可以换同款不同尺码。

问：发票丢了还能退吗？
答：能退，但需要提供订单号。

**Q: 赠品需要退回吗？**
A: 需要，赠品应与商品一起寄回。"""
GUIDE = "Use water at 80°C. Steep for two minutes. Do not use boiling water, or the tea becomes bitter."


def passage(text: str, heading: str = "", **more: str) -> Passage:
    return Passage("p", more.pop("document", "手册"), "", "", text, heading, **more)  # type: ignore[arg-type]


def told(question: str, *passages: Passage, **more: object) -> str:
    return answered(turn(question, **more), context(question, *passages)).text  # type: ignore[arg-type]


def test_what_was_done_after_a_yes_is_told_and_nothing_else() -> None:
    done = Done("cancel", "{}", '{"state": 1}', "订单已取消。")

    assert answered(turn("好的"), replace(context("好的", SHIPPING), done=done)).text == "订单已取消。"


@pytest.mark.parametrize(
    ("question", "passages", "text"),
    [
        ("满多少元免运费?", (SHIPPING, REFUNDS), "满九十九元免运费，否则运费为八元。[1]"),
        ("偏远地区要几天", (SHIPPING, REFUNDS), "标准配送需要三到五个工作日，偏远地区另加两天。[1]"),
        ("总部在哪里", (HOURS, SHIPPING), "总部在杭州。[1]"),
        ("营业时间", (HOURS, SHIPPING), "门店每天九点开门，晚上九点关门。总部在杭州。[1]"),
        ("顺丰多少钱", (passage(TABLE),), "顺丰速运：时效 1–2 天，运费 18 元 [1]"),
        ("可以换货吗", (passage(FAQ),), "可以。七天内可以换同款不同尺码。[1]"),
        ("赠品要不要退", (passage(FAQ),), "需要，赠品应与商品一起寄回。[1]"),
        ("How do I brew green tea?", (passage(GUIDE, "Brewing green tea"),), f"{GUIDE} [1]"),
    ],
)
def test_the_words_that_say_it_are_quoted(question: str, passages: tuple[Passage, ...], text: str) -> None:
    assert told(question, *passages) == text


def test_a_sentence_comes_with_the_one_that_limits_it() -> None:
    assert told("几天内可以无理由退货?", REFUNDS).endswith("原路返回。但定制商品除外。[1]")


def test_a_sentence_comes_with_the_one_it_refers_to() -> None:
    text = "门店设有品茶室。它每周末对会员开放。停车免费。"

    assert told("什么时候对会员开放?", passage(text)) == "门店设有品茶室。它每周末对会员开放。[1]"


def test_a_list_is_told_whole_with_what_leads_to_it() -> None:
    assert told("怎么退货", passage(STEPS)) == f"{STEPS.replace(chr(10) * 2, chr(10))}[1]"


def test_an_item_that_says_nothing_alone_comes_with_its_list() -> None:
    assert told("能寄到新加坡吗", passage(COUNTRIES)) == "目前支持以下地区：\n- 日本\n- 韩国\n- 新加坡 [1]"


def test_a_row_is_told_with_the_header_that_stands_further_up() -> None:
    row = passage("| 顺丰速运 | 1–2 天 | 18 元 |", lead="| 方式 | 时效 | 运费 |")

    assert told("顺丰多少钱", row) == "顺丰速运：时效 1–2 天，运费 18 元 [1]"


def test_a_question_of_two_parts_is_answered_from_two_passages() -> None:
    said = answered(turn("几天能退货？还有几点开门？"), context("几天能退货？还有几点开门？", REFUNDS, HOURS))

    assert "七天内" in said.text
    assert "九点开门" in said.text
    assert [citation.title for citation in said.citations] == ["退货政策", "关于我们"]


def test_a_quote_is_a_slice_of_its_passage() -> None:
    said = answered(turn("满多少元免运费?"), context("满多少元免运费?", SHIPPING))

    assert said.citations == (
        Citation("1", "配送说明", "https://shop.example/shipping", "满九十九元免运费，否则运费为八元。"),
    )


def test_nothing_is_left_of_a_page_s_markup() -> None:
    text = (
        '包邮门槛是<img src=x onerror="alert(1)">[一百元](javascript:alert(1))整[3]，见[说明](https://ok.example/a)。'
    )

    assert told("包邮门槛是多少", passage(text)) == "包邮门槛是一百元整，见[说明](https://ok.example/a)。[1]"


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("你好", "greeting"),
        ("您好！在吗？", "greeting"),
        ("Hello there!", "greeting"),
        ("谢谢啦~", "thanks"),
        ("好的，谢谢", "thanks"),
        ("thank you so much", "thanks"),
        ("嗯嗯", "acknowledged"),
        ("再见", "goodbye"),
        ("你是谁？", "introduction"),
        ("你能做什么", "introduction"),
    ],
)
def test_small_talk_is_answered_in_kind(said: str, kind: str) -> None:
    language: Language = "zh" if said[0] > "z" else "en"

    spoken = answered(turn(said), replace(context(said, SHIPPING), language=language))

    assert spoken.text == getattr(texts(language), kind)
    assert not spoken.refused


@pytest.mark.parametrize("said", ["你好，运费多少？", "谢谢，几点开门", "帮助我退货", "好的那运费呢"])
def test_a_question_with_a_greeting_is_a_question(said: str) -> None:
    assert answered(turn(said), context(said, SHIPPING)).text not in (
        texts("zh").greeting,
        texts("zh").thanks,
        texts("zh").introduction,
        texts("zh").acknowledged,
    )


def test_what_the_knowledge_does_not_hold_is_not_answered() -> None:
    said = answered(turn("谁发现了夸克?"), context("谁发现了夸克?", SHIPPING, confidence=0.2))

    assert (said.text, said.refused, said.citations) == (texts("zh").unknown, True, ())


def test_what_may_be_related_is_shown_as_no_more_than_that() -> None:
    said = answered(turn("运费险有吗?"), context("运费险有吗?", SHIPPING, REFUNDS, confidence=0.4))

    passage = "满九十九元免运费，否则运费为八元。[1]"
    assert said.text == texts("zh").related.format(passage=passage)
    assert said.refused
    assert [citation.title for citation in said.citations] == ["配送说明"]


def test_a_passage_that_is_nothing_but_a_heading_says_that() -> None:
    assert told("会员日是哪天", passage("## 会员日：每月十七日")) == "会员日：每月十七日 [1]"


def test_a_follow_up_about_something_else_is_not_answered_with_the_topic_before() -> None:
    asked = replace(context("满多少元免运费 那夸克呢?", SHIPPING), own="那夸克呢?")

    said = answered(turn("那夸克呢?"), asked)

    assert said.refused


@pytest.mark.parametrize(
    ("question", "fact"),
    [
        ("我的猫叫什么?", "猫叫煤球"),
        ("我的猫叫什么名字?", "猫叫煤球"),
        ("我是谁?", "名字：小林"),
        ("我叫什么名字？", "名字：小林"),
        ("我叫什么", "名字：小林"),
        ("我住在哪里", "住在杭州"),
        ("我的手机号是多少", "手机号：13800000000"),
        ("我喜欢喝什么？", "喜欢喝绿茶"),
    ],
)
def test_a_person_is_told_what_they_had_told(question: str, fact: str) -> None:
    facts = ("名字：小林", "猫叫煤球", "住在杭州", "手机号：13800000000", "喜欢喝绿茶")

    assert told(question, SHIPPING, memory=facts) == f"您告诉过我，{fact}。"


def test_a_question_about_the_shop_is_not_answered_from_memory() -> None:
    facts = ("要求：收顺丰", "订单号：20260101")

    assert "九十九" in told("满多少元免运费?", SHIPPING, memory=facts)
    assert "三到五个工作日" in told("我的订单标准配送要几个工作日?", SHIPPING, memory=facts)


SCRAPS = [
    "运费",
    "免费",
    "。",
    "？",
    "\n",
    "- ",
    "1. ",
    "| a ",
    "|",
    "---",
    "# ",
    "问：",
    "答：",
    "[1]",
    "](x)",
    "<b>",
    "```",
    " ",
    "：",
]


@given(st.lists(st.lists(st.sampled_from(SCRAPS), max_size=30).map("".join), max_size=4), st.floats(0, 1))
def test_whatever_stands_in_the_passages_is_quoted_exactly_or_not_at_all(texts_: list[str], confidence: float) -> None:
    passages = tuple(Passage(f"p{n}", "文", "", "", text) for n, text in enumerate(texts_))
    said = answered(turn("运费免费吗？运费"), context("运费免费吗？运费", *passages, confidence=confidence))

    assert said.text.strip()
    assert len(said.citations) == len(
        {f"[{citation.label}]" for citation in said.citations if f"[{citation.label}]" in said.text}
    )
    assert all(citation.quote and any(citation.quote in text for text in texts_) for citation in said.citations)


SHOPS = "城市：广州\n服务网点：青禾广州维修站\n地址：天河区中山大道西 238 号\n电话：020-3821-6004"


def test_a_passage_about_something_else_does_not_answer_however_near_it_is() -> None:
    near = passage("客服每天 9:00 至 22:00 有人值班。")

    assert answered(turn("客服工资多少"), context("客服工资多少", near, confidence=0.8)).refused
    assert not answered(turn("客服几点值班"), context("客服几点值班", near, confidence=0.8)).refused


def test_a_row_of_a_table_answers_for_what_it_names_only_and_whole() -> None:
    row = passage(SHOPS, "#5", document="服务网点")

    assert answered(turn("深圳有维修站吗"), context("深圳有维修站吗", row, confidence=0.99)).refused
    assert "天河区中山大道西 238 号" in told("广州的维修站在哪里", row)


def test_a_model_that_is_not_there_has_no_price() -> None:
    rows = passage("| 型号 | 价格 |\n|---|---|\n| AP200 | 799 元 |\n| AP400 | 1599 元 |")

    assert answered(turn("AP800 多少钱"), context("AP800 多少钱", rows)).refused
    assert "1599" in told("AP400 多少钱", rows)


def test_a_follow_up_is_answered_for_what_it_asks() -> None:
    rows = passage("| 等级 | 折扣 |\n|---|---|\n| 银卡会员 | 98 折 |\n| 金卡会员 | 95 折 |")
    both = "银卡会员打几折 金卡呢?"

    assert "95 折" in answered(turn("金卡呢?"), replace(context(both, rows), own="金卡呢?")).text


def test_a_mistyped_question_is_answered_as_it_was_meant_and_says_so() -> None:
    asked = replace(context("退货运费谁承担", passage("退货运费由买家承担。")), meant="退货运费谁承担")

    said = answered(turn("退货运废谁承担"), asked).text

    assert said == f"{texts('zh').meant.format(question='退货运费谁承担')}\n\n退货运费由买家承担。[1]"
