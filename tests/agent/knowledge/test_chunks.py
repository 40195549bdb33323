import re
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent.knowledge.chunks import MOST, document
from agent.knowledge.document import Document, Form, Part, Reading

POLICY = """# 退货政策

七天内可以无理由退货。运费由谁出？由您出。

## 流程

1. 申请
2. 寄回

## 品类

| 品类 | 天数 |
|---|---|
| 衣服 | 7 |
| 食品 | 0 |

## 以后补充

```
# 不是标题
```
"""


def made(*parts: Part | str, title: str = "") -> Document:
    found = tuple(part if isinstance(part, Part) else Part(part) for part in parts)
    return document("d1", "a.md", Reading(title, found), "a")


def said(one: Document) -> list[tuple[tuple[str, ...], str]]:
    return [(piece.headings, one.text[piece.start : piece.end]) for piece in one.slices]


def test_a_document_is_cut_at_its_headings() -> None:
    assert said(made(POLICY)) == [
        (("退货政策",), "七天内可以无理由退货。运费由谁出？由您出。"),
        (("退货政策", "流程"), "1. 申请\n2. 寄回"),
        (("退货政策", "品类"), "| 品类 | 天数 |\n|---|---|\n| 衣服 | 7 |\n| 食品 | 0 |"),
        (("退货政策", "以后补充"), "```\n# 不是标题\n```"),
    ]


def test_a_heading_with_nothing_below_it_says_what_it_says() -> None:
    assert said(made("# 营业时间：九点到九点\n\n# 地址\n\n## 杭州\n\n文一路。")) == [
        ((), "# 营业时间：九点到九点"),
        (("地址", "杭州"), "文一路。"),
    ]


def test_the_title_is_the_one_the_file_names_or_its_first_heading_or_its_name() -> None:
    assert [made(POLICY, title="手册").title, made(POLICY).title, made("一句话。").title] == ["手册", "退货政策", "a"]


def test_a_long_section_is_packed_sentence_by_sentence_and_neighbours_share_one() -> None:
    sentences = [f"第{n}条规定写明了编号为{n}的商品怎样退货以及运费由谁来承担。" for n in range(60)]
    one = made("# 规定\n\n" + "".join(sentences))
    texts = [text for _, text in said(one)]

    assert all(len(text) <= MOST and text.endswith("。") for text in texts)
    assert all(re.findall("[^。]+。", b)[0] == re.findall("[^。]+。", a)[-1] for a, b in pairwise(texts))
    assert all(any(sentence in text for text in texts) for sentence in sentences)


def test_rows_of_a_long_table_stay_whole_and_carry_the_header() -> None:
    rows = [f"| 商品{n:03d} | 价格是{n}元，七天内可以退货，质量问题包换 |" for n in range(40)]
    one = made("# 价目\n\n| 商品 | 说明 |\n|---|---|\n" + "\n".join(rows))

    assert [piece.lead for piece in one.slices] == ["", *["| 商品 | 说明 |"] * (len(one.slices) - 1)]
    assert len(one.slices) > 2
    assert [line for _, text in said(one) for line in text.split("\n")][2:] == rows


def test_a_row_of_a_sheet_is_a_passage_with_its_place() -> None:
    one = made(
        Part("问题：怎么退货？\n答案：七天内申请。", "问答!2", "row"),
        Part("问题：运费？\n答案：八元。", "问答!3", "row"),
    )

    assert [(one.text[p.start : p.end], p.anchor) for p in one.slices] == [
        ("问题：怎么退货？\n答案：七天内申请。", "问答!2"),
        ("问题：运费？\n答案：八元。", "问答!3"),
    ]


def test_what_is_searched_begins_with_title_headings_and_header_each_once() -> None:
    one = made(POLICY)

    assert one.words(one.slices[1]) == "退货政策 / 流程\n1. 申请\n2. 寄回"
    assert made(POLICY, title="手册").words(one.slices[0]).startswith("手册 / 退货政策\n")


def test_a_passage_keeps_its_key_when_another_one_changes() -> None:
    before, after = made(POLICY), made(POLICY.replace("由您出", "由我们出"))

    assert [a.key == b.key for a, b in zip(before.slices, after.slices, strict=True)] == [False, True, True, True]


def test_the_same_words_twice_have_keys_of_their_own() -> None:
    one = made("# 一\n\n相同的话。\n\n# 一\n\n相同的话。")

    assert len({piece.key for piece in one.slices}) == 2


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        "# " + "#" * 500_000 + "x",
        "# a" + " #" * 250_000 + "x",
        "# " + " " * 500_000 + "x",
        "#" * 500_000,
        "a" + "\u0301\u0316" * 250_000,
        "[" * 500_000,
        "`" * 500_000,
        "|" * 500_000,
    ],
    ids=["hashes", "hashes apart", "blanks", "one hash", "marks", "brackets", "fences", "cells"],
)
def test_a_row_of_half_a_million_marks_is_read_once(text: str) -> None:
    assert all(piece.end - piece.start <= MOST for piece in made(text).slices)
    assert made(text).slices


@pytest.mark.parametrize(
    ("line", "heading"),
    [
        ("# 一 ##", "一"),
        ("  ## 一\t", "一"),
        ("# # 一", "# 一"),
        ("#一", ""),
        ("###", ""),
        ("# ##", ""),
        ("####### 一", ""),
    ],
)
def test_a_heading_is_what_stands_between_its_marks(line: str, heading: str) -> None:
    assert [piece.headings for piece in made(f"{line}\n\n字").slices] == [(heading,) if heading else ()]


PARTS = st.builds(
    Part,
    st.text(st.sampled_from("退货运费 \n\n#|-。，.?！`~1一abc\t"), max_size=900),
    st.sampled_from(["", "p. 1"]),
    st.sampled_from(list[Form](["markdown", "plain", "row"])),
)


@given(st.lists(PARTS, max_size=3))
@example([Part("字" * 1000)])
@example([Part("# 标题\n" * 5)])
@example([Part(f"# {'标题，' * 500}")])
@example([Part("|a|\n|-|\n" + "|b|\n" * 300)])
def test_passages_are_slices_that_lose_nothing(parts: list[Part]) -> None:
    one = made(*parts)
    covered = bytearray(len(one.text))
    for piece in one.slices:
        assert 0 <= piece.start < piece.end <= len(one.text)
        assert piece.end - piece.start <= MOST
        covered[piece.start : piece.end] = b"\x01" * (piece.end - piece.start)
    lost = "".join(c for c, there in zip(one.text, covered, strict=True) if not there)
    carried = "".join(heading for piece in one.slices for heading in piece.headings)

    assert len({piece.key for piece in one.slices}) == len(one.slices)
    assert {c for c in lost if c.isalnum()} <= set(carried)
