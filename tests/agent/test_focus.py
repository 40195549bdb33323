"""What a question is about that a passage does not speak of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.focus import lacking, unnamed

SHOP = "上海维修站，地址：七莘路 1809 号。客服每天 9:00 至 22:00 有人值班。净化器滤网 199 元，退款 3 天到账。"


@pytest.mark.parametrize(
    "question",
    [
        "上海的维修站在哪里?",
        "客服几点有人值班",
        "净化器的滤网要多少钱?",
        "退款要几天才能到账呢",
        "退款多久倒账",
        "退款要多久",
    ],
)
def test_what_is_only_asked_in_other_words_or_mistyped_lacks_nothing(question: str) -> None:
    assert lacking(question, SHOP) == 0


@pytest.mark.parametrize(
    "question", ["深圳有维修站吗", "客服工资多少", "客服有年终奖吗", "净化器能除病毒吗", "可以用比特币退款吗"]
)
def test_what_a_question_is_about_is_missed(question: str) -> None:
    assert lacking(question, SHOP) >= 0.25


def test_a_model_is_told_from_another_by_its_number() -> None:
    assert unnamed("AP800 多少钱", "AP200：799 元") == ["ap800"]
    assert unnamed("ap-200 和 ＡＰ ２００ 多少钱", "AP200：799 元") == []
    assert unnamed("QH202610240001 的发票", "发票在 24 小时内开具") == []


def test_an_english_question_lacks_words_of_an_english_passage_only() -> None:
    assert lacking("Do you sell bicycles?", "We sell kettles.") > 0
    assert lacking("Do you sell kettles?", "We sell kettles.") == 0
    assert lacking("Do you sell bicycles?", SHOP) == 0


@given(st.text(max_size=40), st.text(max_size=80))
def test_it_is_a_part_and_nothing_is_lacking_in_a_text_that_holds_the_question(question: str, text: str) -> None:
    assert 0 <= lacking(question, text) <= 1
    assert lacking(question, f"{text}\n{question}") == 0
    assert unnamed(question, f"{text}\n{question}") == []
