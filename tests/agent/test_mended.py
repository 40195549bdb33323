"""Mistyped characters, set right by what stands in the knowledge and by nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.knowledge import tokens
from agent.mended import mended

TEXTS = (
    "孕妇不可以吃布洛芬缓释胶囊。",
    "退货运费由买家承担。",
    "单笔满 600 元可以用花呗分期付款。",
    "净化器滤网不能水洗。",
)
KNOWN = frozenset(tokens.words("。".join(TEXTS)))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("孕妇可以吃布洛分吗", "孕妇可以吃布洛芬吗"),
        ("布洛风孕妇能吃吗", "布洛芬孕妇能吃吗"),
        ("退货运废谁承担", "退货运费谁承担"),
        ("能用花贝分期付款吗", "能用花呗分期付款吗"),
        ("净花器能水洗吗", "净化器能水洗吗"),
    ],
)
def test_a_word_that_only_sounds_like_one_of_the_knowledge_is_taken_for_it(typed: str, meant: str) -> None:
    assert mended(typed, KNOWN, TEXTS) == meant


@pytest.mark.parametrize(
    "typed",
    [
        "退货运费谁承担",
        "孕妇可以吃阿司匹林吗",
        "深圳能退货吗",
        "布洛芬多少钱",
        "客服工资多少",
        "买家的诗",
        "哪家保险公司",
        "什么时候付款",
        "花费",
    ],
)
def test_names_that_the_knowledge_does_not_have_and_words_that_it_has_stay(typed: str) -> None:
    assert mended(typed, KNOWN, TEXTS) == ""


@given(st.text(max_size=30), st.lists(st.text(max_size=40), max_size=3))
def test_only_what_sounds_alike_changes_and_never_the_length(typed: str, texts: list[str]) -> None:
    asked, held = tokens.normal(typed), [tokens.normal(text) for text in texts]
    found = mended(asked, frozenset(tokens.words("\n".join(held))), held)

    assert found != asked or not asked
    assert len(found) in (0, len(asked))
    assert all(one == other or one in "".join(held) for one, other in zip(found, asked, strict=False))


@given(st.sampled_from(TEXTS), st.integers(0, 30), st.integers(1, 20))
def test_a_slice_of_the_knowledge_is_never_mended(text: str, start: int, length: int) -> None:
    assert mended(text[start : start + length], KNOWN, TEXTS) == ""
