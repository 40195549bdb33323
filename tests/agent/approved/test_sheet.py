"""Approved answers as a table that spreadsheets may open."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.approved.answer import Approved
from agent.approved.sheet import read, write

CELL = st.text(st.sampled_from("'=+-@答1 \t"), min_size=1, max_size=8).map(str.strip).filter(bool)


@pytest.mark.parametrize("cell", ["=HYPERLINK(1)", "+1", "-1", "@SUM(1)", "'=1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    [_, row] = csv.reader(io.StringIO(write([Approved("问", cell)])))

    assert row[:2] == ["问", f"'{cell}"]


@given(CELL, CELL)
def test_what_is_written_is_read_again(question: str, answer: str) -> None:
    one = Approved(f"问{question}", answer, "", "")

    assert read(write([one]).encode()).answers == (one,)


def test_an_apostrophe_of_one_s_own_stays() -> None:
    assert read("问题,答案\n问,'ok'\n".encode()).answers[0].answer == "'ok'"
