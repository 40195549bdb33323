"""Nothing in an answer acts by itself: no picture loads, no link speaks for the reader, no tag mentions anybody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.kit.harmless import markdown, untagged

TARGET = re.compile(r"\]\(\s*<?([^)\s]*)")


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("![图](https://evil.example/p.png)", "[图](https://evil.example/p.png)"),
        (
            "[![图](https://evil.example/p.png)](https://a.example)",
            "[[图](https://evil.example/p.png)](https://a.example)",
        ),
        (r"![a\]b](https://evil.example/p.png)", r" [a\]b](https://evil.example/p.png)"),
        ("![1](https://evil.example/p.png)", "[1](https://evil.example/p.png)"),
        ("![x][y]", " [x][y]"),
        (
            "[点我](dtmd://dingtalkclient/sendMessage?content=转账)",
            "[点我] dtmd://dingtalkclient/sendMessage?content=转账)",
        ),
        ("[x](javascript:alert(1))", "[x] javascript:alert(1))"),
        ("[x](&#106;avascript:alert(1))", "[x] &#106;avascript:alert(1))"),
        ("[x](data:text/html,x)", "[x] data:text/html,x)"),
        ("<dtmd://dingtalkclient/x>", " dtmd://dingtalkclient/x>"),
        ('<@all> <at id=all></at> <AT user_id="all">', ' @all>  at id=all> /at>  AT user_id="all">'),
        ('<a href="weixin://bizmsgmenu?msgmenucontent=x">', ' a href="weixin://bizmsgmenu?msgmenucontent=x">'),
        ("好<think>谁也看不到</think>", "好 think>谁也看不到 /think>"),
        ("<img src=https://evil.example/p.png>", " img src=https://evil.example/p.png>"),
    ],
)
def test_what_would_act_is_only_words(said: str, shown: str) -> None:
    assert markdown(said) == shown


@pytest.mark.parametrize(
    "said",
    [
        "满 **99** 元免运费![1] 谢谢!",
        "[规定](https://a.example/x) [写信](mailto:a@b.example) <https://a.example>",
        '3 < 5，a<b，<font color="info">好</font>',
        "|a|b|\n|-|-|\n|1|2|",
    ],
)
def test_what_does_nothing_stays_as_it_is(said: str) -> None:
    assert markdown(said) == said


PIECES = st.sampled_from(
    ["!", "[", "]", "(", "](", "x", "\\", "<", "@all", "dtmd://x", "https://a", ")", "1", "\n", " "]
)


@given(st.lists(PIECES, max_size=14).map("".join) | st.text())
def test_any_text_is_harmless_and_no_longer_than_before(text: str) -> None:
    shown = markdown(text)

    assert len(shown.encode("utf-8", "replace")) <= len(text.encode("utf-8", "replace"))
    assert all(re.match(r"(https?://|mailto:|tel:)", target, re.IGNORECASE) for target in TARGET.findall(shown))
    assert not re.search(r"!\[[^\]\n]*\]\(", shown)
    assert untagged(shown) == shown
