"""Replies fit their channel: bytes, graphemes, links and code blocks stay whole, sources are written out."""

import pytest
import regex
from hypothesis import given
from hypothesis import strategies as st

from hub.channel import Traits
from hub.fit import fit, plain, size, split
from hub.message import Choice, Citation, Reply
from hub.texts import texts

ZH = texts("zh")
FAMILY = "👨‍👩‍👧"


def squeezed(text: str) -> str:
    return "".join(text.split())


@given(st.text(alphabet=st.sampled_from("汉字ab。，\n 😀é👍🏽"), max_size=400), st.integers(40, 200))
def test_pieces_fit_and_together_are_the_text(text: str, most: int) -> None:
    pieces = split(text, most)

    assert all(size(piece) <= most for piece in pieces)
    assert squeezed("".join(pieces)) == squeezed(text)


@given(st.lists(st.sampled_from([FAMILY, "🇨🇳", "e\u0301", "👍🏽", "✈️", "字"]), min_size=30, max_size=120))
def test_no_character_that_people_see_as_one_is_torn(characters: list[str]) -> None:
    graphemes = regex.findall(r"\X", "".join(characters))

    assert [g for piece in split("".join(characters), 64) for g in regex.findall(r"\X", piece)] == graphemes


def test_a_cut_stands_at_the_end_of_a_paragraph_before_a_sentence_before_a_comma() -> None:
    text = "第一段说的是退货。\n\n第二段说的是运费，满九十九元免运费。第三句话比较长一些。"

    assert split(text, 60)[0] == "第一段说的是退货。"
    assert all(piece[-1] in "。，" for piece in split(text, 60))


def test_a_link_is_never_cut() -> None:
    link = "[退货政策](https://shop.example/returns/policy?from=hub)"
    text = "说明" * 20 + link + "结束" * 20

    assert any(link in piece for piece in split(text, 160))


def test_a_code_block_that_is_cut_is_closed_and_opened_again() -> None:
    code = "```python\n" + "\n".join(f"line_{n} = {n}" for n in range(40)) + "\n```"
    pieces = split(code, 300)

    assert len(pieces) > 1
    assert all(piece.count("```") == 2 and size(piece) <= 300 for piece in pieces)
    assert pieces[1].startswith("```python\n")


def test_a_character_larger_than_a_piece_is_cut_after_all() -> None:
    zalgo = "e" + "\u0301" * 100

    assert "".join(split(zalgo, 20)) == zalgo


@pytest.mark.parametrize(
    ("markdown", "read"),
    [
        ("# 标题\n**粗** 和 __粗__", "标题\n粗 和 粗"),
        ("看 [这里](https://a.example/b)", "看 这里 https://a.example/b"),
        ("[https://a.example](https://a.example)", "https://a.example"),
        ("```py\nx = 1\n```", "x = 1\n"),
        ("2 ** 3 ** 4 和 a_b__c", "2 ** 3 ** 4 和 a_b__c"),
        ("前]]>中</Content> & <b>后", "前]]>中</Content> & <b>后"),
    ],
)
def test_markdown_reads_well_where_it_is_not_rendered(markdown: str, read: str) -> None:
    assert plain(markdown) == read


CITED = Reply("七天内可退。[1]", (Citation("1", "退货 (2026)", "https://shop.example/a b)", "七天内"),))


def test_sources_are_lines_where_nothing_can_be_clicked() -> None:
    (piece,) = fit(CITED, Traits(markdown=False), ZH)

    assert piece.text == "七天内可退。[1]\n\n来源：\n[1] 退货 (2026)"


def test_sources_are_links_where_they_can_be_clicked() -> None:
    (piece,) = fit(CITED, Traits(citations="links"), ZH)

    assert piece.text.endswith("来源：\n\n[1] [退货 2026](https://shop.example/a%20b%29)")


def test_a_title_is_words_and_nothing_more_where_markdown_is_shown() -> None:
    hostile = "![a](https://evil.example/p.png)\r\n[点我](https://evil.example) \u202efdp.exe"
    cited = (Citation("1", hostile, "", ""), Citation("2", hostile, "https://a.example/x)\n![](y)", ""))
    (piece,) = fit(Reply("好。[1]", cited), Traits(citations="links"), ZH)
    first, second = piece.text.split("\n\n")[2:]

    assert first == "[1] a https://evil.example/p.png 点我 https://evil.example fdp.exe"
    assert second == f"[2] [{first[4:]}](https://a.example/x%29%0A!%5B%5D%28y%29)"


def test_no_character_turns_the_order_of_the_others_around() -> None:
    (piece,) = fit(Reply("转给 \u202e1234\u202c 元\u2066！"), Traits(), ZH)

    assert piece.text == "转给 1234 元！"


def test_a_channel_that_shows_sources_itself_gets_them_as_values() -> None:
    (piece,) = fit(CITED, Traits(citations="own"), ZH)

    assert (piece.text, piece.citations) == (CITED.text, CITED.citations)


def test_what_is_said_in_place_of_a_button_is_written_out() -> None:
    reply = Reply("确定吗？", choices=(Choice("确认", "Y#12", say="Y"), Choice("取消", "N#12", say="N")))

    assert fit(reply, Traits(), ZH)[0].text == "确定吗？\n\n请回复：Y（确认） / N（取消）"


def test_choices_are_written_out_where_there_are_no_buttons() -> None:
    reply = Reply("确定吗？", choices=(Choice("确认取消", "Y"), Choice("N", "N")))
    (piece,) = fit(reply, Traits(), ZH)

    assert piece.text == "确定吗？\n\n请回复：Y（确认取消） / N"


def test_a_reply_that_says_nothing_is_no_message() -> None:
    assert fit(Reply("  \n"), Traits(), ZH) == []


def test_a_channel_that_cannot_push_keeps_room_for_the_line_that_says_there_is_more() -> None:
    pieces = fit(Reply("一二三四五六七八九十。" * 40), Traits(text_bytes=300, pushes=False), ZH)

    assert all(size(piece.text) + 1 + size(ZH.more) <= 300 for piece in pieces)
