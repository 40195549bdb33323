"""Answers given before: which questions are the same, and whose answers are kept."""

import pytest

from agent.answers import MOST, Answers, Key, normal
from hub.turn import Answer, Usage
from tests.agent.library import turn
from tests.agent.test_breaker import Clock


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("满多少元免运费?", "满多少元免运费？！"),
        (" 退款 多久 ", "退款多久"),
        ("ＶＩＰ 折扣", "vip折扣"),
        ("運費", "运费"),
        ("How  much?", "how much"),
    ],
)
def test_what_makes_no_difference_is_left_out(one: str, other: str) -> None:
    assert normal(one) == normal(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3.5元够吗", "35元够吗"),
        ("C++是什么", "C是什么"),
        ("花呗分期清空", "花呗分期查询"),
        ("a b", "ab"),
        ("-5度", "5度"),
    ],
)
def test_what_makes_one_stays(one: str, other: str) -> None:
    assert normal(one) != normal(other)


def test_an_answer_is_kept_for_a_time_and_costs_nothing_again() -> None:
    clock = Clock()
    answers = Answers(60, clock=clock)
    key = answers.key(turn("运费?"), 1)
    assert key
    answers.put(key, Answer("八元", usage=Usage("m", 1, 2, 3)))

    assert answers.get(key) == Answer("八元")
    clock.now += 60
    assert answers.get(key) is None


def test_a_change_of_the_knowledge_makes_another_key() -> None:
    answers = Answers(60, clock=Clock())

    assert answers.key(turn("运费?"), 1) != answers.key(turn("运费?"), 2)


def test_what_is_said_with_somebody_s_past_in_view_is_not_kept() -> None:
    answers = Answers(60, clock=Clock())

    assert answers.key(turn("运费?", history=(("person", "我叫小林"),)), 1) is None
    assert answers.key(turn("运费?", memory=("只收顺丰",)), 1) is None
    assert Answers(0, clock=Clock()).key(turn("运费?"), 1) is None


def test_what_was_longest_not_asked_for_goes_first() -> None:
    answers = Answers(60, clock=Clock())
    for n in range(MOST):
        answers.put(Key(str(n), 1), Answer(str(n)))
    answers.get(Key("0", 1))
    answers.put(Key("new", 1), Answer("new"))

    assert answers.get(Key("0", 1)) == Answer("0")
    assert answers.get(Key("1", 1)) is None
