"""A model's words on their way out: in any pieces, the same words come out, and none has to be taken back."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.engine import Shelf
from agent.reply import Words
from tests.agent.library import REFUNDS, SHIPPING


def said(*pieces: str) -> tuple[str, str]:
    """What was shown piece by piece, and the text in the end."""
    shelf = Shelf()
    shelf.put((SHIPPING, REFUNDS))
    words, shown = Words(shelf), ""
    for piece in pieces:
        more = words.feed(piece)
        shown = more if words.void else shown + more
    return shown + words.end(), words.text


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("四十八小时内 [1]。", "四十八小时内 [1]。"),
        ("四十八小时内 [1][97]。", "四十八小时内 [1]。"),
        ("四十八小时内 [97]。", "四十八小时内。"),
        ("两条都说了【1】【2】", "两条都说了[1][2]"),
        ("两条都说了[1, 2, 9]", "两条都说了[1][2]"),
        ("free shipping [^1] above 99", "free shipping [1] above 99"),
        ("[链接](https://ok.example/a?b=1) 见 [2024] 年", "[链接](https://ok.example/a?b=1) 见 [2024] 年"),
        ("3 < 5 <b>粗</b>", "3 < 5 <b>粗</b>"),
        ("<think>想一想 [1]</think>\n\n答案", "答案"),
        ("先说<thinking>再想</thinking>再说", "先说再说"),
        ("没说完<think>还在想", "没说完"),
        ("想完了</think>\n答案", "答案"),
        ("\n\n 前后的空白 \n", "前后的空白"),
        ("a\x00b\x1b[31mc\u202ed\ud800e\r\nf", "ab[31mcde\nf"),
        ("**粗体** 和\n\n- 列表", "**粗体** 和\n\n- 列表"),
    ],
)
def test_only_what_a_person_may_see_is_left(raw: str, clean: str) -> None:
    assert said(raw) == (clean, clean)
    assert said(*raw) == (clean, clean)


@given(
    st.lists(
        st.sampled_from(
            ["[1]", "[", "]", "【2", "】", "9", "1", ",", " ", "\n", "<think>", "</think>", "<", "th", "字", "。"]
        )
    ),
    st.data(),
)
def test_the_pieces_do_not_matter(tokens: list[str], data: st.DataObject) -> None:
    raw = "".join(tokens)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(raw)))) | {0, len(raw)})
    pieces = [raw[a:b] for a, b in pairwise(cuts)]

    shown, text = said(*pieces)

    assert shown == text == said(raw)[1]


def test_after_a_tool_the_words_go_on_in_a_paragraph_of_their_own() -> None:
    words = Words(Shelf())

    shown = words.feed("我查一下。 ") + words.pause() + words.feed("查到了。") + words.end()

    assert shown == words.text == "我查一下。\n\n查到了。"


@pytest.mark.parametrize("flood", [" " * 200_000, "[" * 200_000, "<think" * 50_000, "[1" * 100_000, "\n[9] " * 50_000])
def test_a_flood_costs_no_time(flood: str) -> None:
    shown, text = said("好", flood, flood, "。")

    assert shown == text


def test_words_are_not_held_back_longer_than_needed() -> None:
    words = Words(Shelf())

    assert words.feed("满九十九元免运费。") == "满九十九元免运费。"
