import math

import pytest

from agent.knowledge import tokens
from agent.knowledge.rank import Bag, Question, Trial, Weights

PASSAGES = {
    "shipping": "配送说明\n标准配送需要三到五个工作日，偏远地区另加两天。满九十九元免运费，否则运费为八元。",
    "refund": "退货政策\n收到商品后七天内可以无理由退货，退款在仓库验收后四十八小时内原路返回。",
    "hours": "营业时间\n门店每天九点开门，晚上九点关门。",
}
BAGS = {key: Bag(tokens.normal(text)) for key, text in PASSAGES.items()}


def weights(wanted: tuple[str, ...], kind: str) -> Weights:
    counts = {token: sum(token in getattr(bag, kind) for bag in BAGS.values()) for token in wanted}
    return Weights.from_counts(wanted, counts, passages=len(BAGS), length=30)


def trial(text: str) -> Trial:
    question = Question(text)
    return Trial(question, weights(question.words, "words"), weights(question.sounds, "sounds"))


def best(text: str, closeness: dict[str, float] | None = None) -> str:
    return trial(text).ranked(BAGS, closeness).order[0][0]


@pytest.mark.parametrize(
    ("question", "passage"),
    [("满多少元免运费", "shipping"), ("退款几天到账", "refund"), ("几点开门", "hours"), ("推货几天退宽", "refund")],
)
def test_the_passage_that_answers_comes_first(question: str, passage: str) -> None:
    assert best(question) == passage


def test_meaning_decides_where_words_say_nothing() -> None:
    assert best("多久能收到", {"shipping": 0.5, "refund": 0.3, "hours": 0.2}) == "shipping"


def test_what_has_nothing_in_common_with_the_question_is_left_out() -> None:
    assert trial("几点开门").ranked({"shipping": BAGS["shipping"]}, None).order == ()


def test_a_passage_without_a_vector_yet_is_found_by_its_words() -> None:
    assert best("几点开门", {"shipping": 0.45, "refund": 0.4}) == "hours"


def test_a_question_that_words_answer_is_surer_than_one_that_they_do_not() -> None:
    sure, unsure = trial("退货几天内可以退款").ranked(BAGS, None), trial("股票今天涨了多少").ranked(BAGS, None)

    assert sure.confidence > 0.5 > unsure.confidence


def test_meaning_alone_can_make_sure_and_its_absence_unsure() -> None:
    question = trial("东西不想要了怎么办")

    assert question.ranked(BAGS, {"refund": 0.7}).confidence > 0.5
    assert question.ranked(BAGS, {"refund": 0.1}).confidence < 0.5


@pytest.mark.parametrize(("closest", "answers"), [(0.15, True), (-0.03, False)])
def test_a_question_in_another_script_is_answered_only_by_what_is_close_to_it(closest: float, *, answers: bool) -> None:
    found = trial("How much is shipping").ranked(BAGS, {"shipping": closest, "refund": closest - 0.05})

    assert (found.confidence >= 0.5) is answers


def test_words_settle_a_question_only_when_one_passage_is_far_ahead() -> None:
    assert trial("标准配送需要三到五个工作日").settled(BAGS)
    assert not trial("多久能收到").settled(BAGS)
    assert not trial("推货几天退宽").settled(BAGS)


@pytest.mark.parametrize("text", ["m123456", "20261125-0001", "AP400", "你好", "请问", "???", "嗯", ""])
def test_numbers_codes_and_greetings_have_no_meaning_to_look_for(text: str) -> None:
    assert not Question(text).meaningful


@pytest.mark.parametrize("text", ["运费", "怎么退货", "refund", "how to return"])
def test_words_have_a_meaning_to_look_for(text: str) -> None:
    assert Question(text).meaningful


def test_an_unknown_word_weighs_most_and_a_common_one_least() -> None:
    common, rare, unknown = Weights.from_counts(
        ["common", "rare", "unknown"], {"common": 90, "rare": 1}, passages=100, length=10
    ).of.values()

    assert unknown > rare > common > 0


def test_strength_is_one_for_a_passage_of_mean_length_that_has_all_words_once() -> None:
    bag = dict.fromkeys("abcdefghij", 1)
    all_words = Weights.from_counts(list("abc"), {}, passages=0, length=10)

    assert math.isclose(all_words.strength(bag), 1.0)
    assert all_words.strength({"z": 1}) == 0.0
