"""Passages taken apart: every unit is a slice, and none is cut in the middle."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from agent.sentences import units

TEXT = """\
# 标题

第一句。第二句！“第三句？”第四句

支持以下地区：
- 日本
- 韩国，
  含济州岛

1. 先点
2、再点
（3）完成

| 名 | 值 |
|---|---|
| a | 1.5 |

问：能退吗？
答：能。七天内。

See v1.5 of e.g. the docs. Then go on. Done"""


def test_a_text_is_taken_apart_into_what_can_be_quoted() -> None:
    assert [(unit.kind, unit.text) for unit in units(TEXT)] == [
        ("heading", "# 标题"),
        ("prose", "第一句。"),
        ("prose", "第二句！"),
        ("prose", "“第三句？”"),
        ("prose", "第四句"),
        ("lead", "支持以下地区："),
        ("item", "- 日本"),
        ("item", "- 韩国，\n  含济州岛"),
        ("item", "1. 先点"),
        ("item", "2、再点"),
        ("item", "（3）完成"),
        ("row", "| 名 | 值 |"),
        ("row", "| a | 1.5 |"),
        ("question", "问：能退吗？"),
        ("prose", "能。"),
        ("prose", "七天内。"),
        ("prose", "See v1.5 of e.g. the docs."),
        ("prose", "Then go on."),
        ("prose", "Done"),
    ]


def test_a_block_of_code_stays_whole() -> None:
    code = "```sh\nmake run\n\n# not a heading\n```"

    assert [unit.text for unit in units(f"先运行：\n{code}\n然后打开。")] == ["先运行：", code, "然后打开。"]


@given(st.text(alphabet="字a。！?. \n-|#问：1、`~*", max_size=80))
def test_units_are_slices_in_order_that_leave_no_word_out(text: str) -> None:
    found = units(text)

    assert [text[unit.start : unit.end] for unit in found] == [unit.text for unit in found]
    assert all(before.end <= after.start for before, after in pairwise(found))
    said = "".join(unit.text for unit in found)
    assert said.count("字") == text.count("字")
