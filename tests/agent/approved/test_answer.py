"""Approved answers: which question is the same, which is offered, and what is read in from a table."""

import pytest

from agent.approved.answer import MOST, Approved, Known
from agent.approved.sheet import read, write
from hub.turn import Answer

FREE = Approved("满多少包邮？", "满 99 元包邮。", "配送说明", "https://shop.example/shipping")
CLEAR = Approved("花呗怎么分期清空", "在花呗里还清即可。")
LOOK = Approved("花呗怎么分期查询", "在账单里查看。")
MEDICINE = Approved("孕妇可以吃布洛芬吗", "请先问医生。")
KNOWN = Known((FREE, CLEAR, LOOK, MEDICINE))


@pytest.mark.parametrize("question", ["满多少包邮？", "您好，请问满多少包邮呢", "滿多少包郵", "  满多少包邮!! "])
def test_the_same_question_has_the_answer(question: str) -> None:
    assert KNOWN.find(question) == FREE


@pytest.mark.parametrize(
    "question", ["花呗怎么分期", "满多少包邮吗", "不满多少包邮", "孕妇可以吃布洛分吗", "满多少不包邮", ""]
)
def test_a_question_that_is_only_like_it_has_not(question: str) -> None:
    assert KNOWN.find(question) is None


@pytest.mark.parametrize(
    ("question", "offered"),
    [
        ("孕妇能吃布洛分吗", [MEDICINE]),
        ("买多少能包邮", [FREE]),
        ("花呗分期怎么清空", [CLEAR]),
        ("退货地址在哪里", []),
        ("你好", []),
        ("", []),
    ],
)
def test_what_is_close_is_offered_the_closest_first(question: str, offered: list[Approved]) -> None:
    assert KNOWN.near(question)[: len(offered) or None] == offered


def test_of_several_ways_to_ask_one_is_offered() -> None:
    ways = [Approved(f"怎么开电子发票{n}", "在订单里申请。") for n in "一二三"]
    others = [Approved(f"怎么开电子发票{n}", f"第 {n} 个") for n in range(9)]

    assert len(Known(ways).near("怎么开电子发票")) == 1
    assert len(Known(others).near("怎么开电子发票")) == MOST


def test_an_approved_answer_shows_its_source() -> None:
    said = FREE.said()

    assert (said.text, said.engine) == ("满 99 元包邮。[1]", "approved")
    assert [(c.title, c.url, c.quote) for c in said.citations] == [("配送说明", FREE.url, "满 99 元包邮。")]
    assert CLEAR.said() == Answer("在花呗里还清即可。", engine="approved")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_is_read_as_spreadsheets_write_it(encoding: str, delimiter: str) -> None:
    rows = [["答案", "问题", "备注", "来源"], ['"满 99 元,\r\n包邮"', "满多少包邮", "x", "配送说明"], ["", "", "", ""]]
    text = "\r\n".join(delimiter.join(row) for row in rows)

    assert read(text.encode(encoding)).answers == (Approved("满多少包邮", "满 99 元,\r\n包邮", "配送说明"),)
    assert not read(text.encode(encoding)).faults


def test_every_fault_is_named_with_its_line() -> None:
    table = 'question,answer,source,url\n问,"两\n行"\n,答\n问一,答,,ftp://x\n"问二",答,a,b,c\n问！,再答\n问三,答,,https://x.example\n'

    assert read(table.encode()).faults == (
        "line 4: question is empty",
        "line 5: url does not begin with https:// or http://",
        "line 5: url needs a source, which names what it leads to",
        "line 6: has 5 cells under 4 columns; a cell with a comma stands in quotes",
        "line 6: url does not begin with https:// or http://",
        "line 7: asks the same as line 2",
        "line 8: url needs a source, which names what it leads to",
    )


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"\xff\xfe\xff\xff\x81", "the file is neither UTF-8 nor GB18030"),
        (b"a,b\n1,2", "line 1: there is no column question and no column answer"),
        (b"", "line 1: there is no column question and no column answer"),
        (b'question,answer\na,"b"c\n', "line 2: "),
    ],
)
def test_what_is_no_table_is_said(data: bytes, fault: str) -> None:
    assert [found.startswith(fault) for found in read(data).faults] == [True]


def test_what_was_written_is_read_again() -> None:
    odd = Approved('他说"好",\n对吗', "=1+1\n；\t。", "a,b")

    assert read(write([odd, FREE]).encode("utf-8-sig")).answers == (odd, FREE)
