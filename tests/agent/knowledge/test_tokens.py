import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.knowledge import tokens


def test_chinese_becomes_pairs_and_latin_becomes_words() -> None:
    assert tokens.words(tokens.normal("ＡＰ400的滤网，Shipping 15元")) == ["ap", "400", "的滤", "滤网", "ship", "15"]


def test_traditional_is_found_as_simplified() -> None:
    assert tokens.normal("電子發票開具流程") == "电子发票开具流程"


def test_numbers_are_found_in_words_and_in_figures() -> None:
    assert set(tokens.words("七天")) & set(tokens.words("7天")) == {"7"}


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("七", 7),
        ("十", 10),
        ("十五", 15),
        ("二十三", 23),
        ("三百零五", 305),
        ("两千", 2000),
        ("一万两千", 12000),
        ("二〇二六", 2026),
    ],
)
def test_a_numeral_has_its_value(numeral: str, value: int) -> None:
    assert tokens.number(numeral) == value


@given(st.text(st.sampled_from("零〇一二两三四五六七八九十百千万"), min_size=1, max_size=8))
def test_every_row_of_numerals_has_some_value(numeral: str) -> None:
    assert tokens.number(numeral) >= 0


def test_the_same_sound_is_the_same_token() -> None:
    assert tokens.sounds("退货运费") == ["tui_huo", "huo_yun", "yun_fei"]
    assert tokens.sounds("推货运费") == tokens.sounds("退货运费")


@pytest.mark.parametrize(
    ("word", "stem"),
    [
        ("refunds", "refund"),
        ("shipping", "ship"),
        ("policies", "policy"),
        ("returned", "return"),
        ("glass", "glass"),
        ("is", "is"),
    ],
)
def test_english_words_lose_their_endings(word: str, stem: str) -> None:
    assert tokens.stem(word) == stem


def test_words_that_only_ask_tell_nothing() -> None:
    assert tokens.telling("请问你们的会员日是哪天？").split() == ["会员日", "？"]
    assert tokens.telling("<img src=x onerror=alert(1)> 可以退货吗").split() == ["退货"]


@given(st.text())
def test_no_token_has_what_a_query_language_could_take_for_its_own(text: str) -> None:
    plain = tokens.normal(text)
    found = [*tokens.words(plain), *tokens.characters(plain), *tokens.sounds(plain)]

    assert [token for token in found if not token or set(token) & set("\"'*:^(){}- \n\x00")] == []
