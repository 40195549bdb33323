"""What is sent."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.feishu import encode
from channels.feishu.encode import markdown
from channels.simulators.feishu.cards import RULE, buttons, checked
from hub.message import Choice, Conversation

TABLE = "| 项目 | 数值 |\n|---|---|\n| 甲 | 1 |\n| 乙 | 2 |"
GROUP = Conversation("fs", "cli_app", "oc_g/omt_1", "group")


def test_a_card_shows_the_text_and_its_choices() -> None:
    choices = (Choice("好", "确认"), Choice("", "取消"))
    card = checked(encode.card("**请确认**", choices, said=GROUP, thread="omt_1"))

    assert card["body"]["elements"][0] == {"tag": "markdown", "content": "**请确认**", "element_id": "answer"}
    assert buttons(card) == [
        {"say": "确认", "label": "好", "kind": "group", "thread": "omt_1"},
        {"say": "取消", "label": "", "kind": "group", "thread": "omt_1"},
    ]


def test_tables_stay_while_there_is_room_and_then_become_lines() -> None:
    assert markdown(f"{TABLE}\n\n{TABLE}", tables=1) == f"{TABLE}\n\n**项目 ｜ 数值**\n- 甲 ｜ 1\n- 乙 ｜ 2"


def test_every_cell_of_a_table_stays() -> None:
    eight = "\n\n".join(f"第 {n} 张\n\n| a |b|\n|:--|--:|\n| T{n}CELL | {n}2 |" for n in range(8))
    text = markdown(eight, tables=5)

    assert [text.count(f"T{n}CELL") for n in range(8)] == [1] * 8
    assert len(RULE.findall(text)) == 5


def test_what_stands_in_code_is_left_alone() -> None:
    code = f"```md\n{TABLE}\n![图](https://x.cn/a.png)\n```"

    assert markdown(code, tables=0) == code


def test_for_the_last_try_no_rule_is_left_even_in_code() -> None:
    assert not RULE.search(encode.without_rules(f"```\n{TABLE}\n```"))


@pytest.mark.parametrize(
    "tag", ["<at id=all></at>", '<AT user_id="all">x</at>', "<person id='ou_1'></person>", "</at>"]
)
def test_an_answer_mentions_nobody(tag: str) -> None:
    for content in (markdown(tag, tables=5), encode.words(tag)):
        assert not re.search(r"<\s*/?\s*(at|person)", content, re.IGNORECASE)


def test_a_foreign_picture_becomes_a_link() -> None:
    assert markdown("看 ![图](https://x.cn/a.png)", tables=5) == "看 [图](https://x.cn/a.png)"


def test_ordinary_words_stay_as_they_are() -> None:
    text = "a < b，c | d\n---\n1 | 2\n<atom> `x|y` 感叹![没有图]"

    assert markdown(text, tables=5) == text


@given(st.text(alphabet=st.sampled_from("ab|-: \n`~#*<>![]()/at表格"), max_size=300), st.integers(0, 3))
def test_no_word_of_any_text_is_lost(text: str, tables: int) -> None:
    def letters(value: str) -> str:
        return re.sub(r"[^ab表格]", "", value)

    assert letters(markdown(text, tables=tables)) == letters(text)


@given(st.text(max_size=200), st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), max_size=4))
def test_any_text_gives_a_card_that_is_json(text: str, choices: list[tuple[str, str]]) -> None:
    given_choices = tuple(Choice(label, value) for label, value in choices)
    card = encode.card(markdown(text, tables=5), given_choices, said=GROUP)

    assert json.loads(card)["schema"] == "2.0"
    card.encode()


def test_half_a_surrogate_pair_stops_nothing() -> None:
    markdown("x\ud83d", tables=5).encode()
    encode.words("x\ud83d").encode()
