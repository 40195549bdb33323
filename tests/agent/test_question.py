"""What a question tells by itself."""

import pytest

from agent.question import hangs, joined, language, normal, parts, small_talk
from tests.agent.library import turn


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("运费 fee", "zh"),
        ("what fee?", "en"),
        ("refund of parcel 12", "en"),
        ("Hello!", "en"),
        ("12.5", "zh"),
        ("?", "zh"),
        ("SF1234567890", "zh"),
        ("Q1a2b3 APP", "zh"),
        ("OK", "zh"),
        ("bye", "en"),
        ("iPhone Pro Max", "zh"),
        ("delivery to Japan", "en"),
    ],
)
def test_a_person_is_answered_in_the_language_of_their_words(text: str, spoken: str) -> None:
    assert language(text, "zh") == spoken


@pytest.mark.parametrize(
    "text", ["那偏远地区呢?", "它多少钱", "还有别的颜色吗", "运费呢", "what about Japan?", "and refunds?"]
)
def test_a_short_question_may_hang_on_the_one_before(text: str) -> None:
    assert hangs(text)


@pytest.mark.parametrize("text", ["满多少元免运费?", "退款多久原路返回?", "现在好了吗?", "How do I return a parcel?"])
def test_most_questions_stand_by_themselves(text: str) -> None:
    assert not hangs(text)


def test_a_question_that_hangs_is_joined_with_the_last_one_of_the_person() -> None:
    history = (("person", "满多少元免运费?"), ("agent", "九十九元"))

    assert joined(turn("那偏远地区呢?", history=history)) == "满多少元免运费 那偏远地区呢?"
    assert joined(turn("那偏远地区呢?")) == ""
    assert joined(turn("几点开门?", history=history)) == ""


def test_a_message_may_ask_several_things() -> None:
    assert parts("几天到？运费多少，还有能自提吗?") == ["几天到", "运费多少", "还有能自提吗"]


def test_of_very_many_questions_the_rest_is_one() -> None:
    assert parts("一？" * 3 + "二？" * 1000) == ["一", "一", "一", " ".join(["二"] * 1000)]


def test_a_message_without_a_border_is_one_question() -> None:
    assert parts("？") == ["？"]


@pytest.mark.parametrize("text", ["你好吗我想退货", "好的包装要钱吗", "在哪里", "help me return it", "谢绝退货吗", ""])
def test_what_asks_something_is_no_small_talk(text: str) -> None:
    assert small_talk(text) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("满多少元免运费?", "满多少元免运费？！"),
        (" 退款 多久 ", "退款多久"),
        ("ＶＩＰ 折扣", "vip折扣"),
        ("運費", "运费"),
        ("How  much?", "how much"),
        ("您好，请问满多少包邮呢？", "满多少包邮"),
        ("我想问一下怎么开票，谢谢！", "怎么开票"),
        ("你们几点下班", "您们几点下班"),
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
        ("可以退货吗", "可以退货"),
        ("你好用吗", "用吗"),
        ("谢谢", ""),
    ],
)
def test_what_makes_one_stays(one: str, other: str) -> None:
    assert normal(one) != normal(other)


@pytest.mark.timeout(30)
@pytest.mark.parametrize("mark", ["。", "，", "呢", "谢谢", "请问", "你好，", "\u0301\u0316"])
def test_what_is_said_a_hundred_thousand_times_is_read_once(mark: str) -> None:
    assert normal(f"退货{mark * 100_000}运费").startswith("退货")


def test_courtesy_alone_is_no_courtesy() -> None:
    assert normal("请问") == "请问"
    assert normal("谢谢谢") == "谢"
