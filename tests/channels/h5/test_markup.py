"""Markdown becomes HTML that runs nothing and loads nothing, whatever the text."""

import html.parser
import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.h5.markup import MOST, TAGS, clean, safe_url
from channels.h5.markup import html as rendered


class Danger(html.parser.HTMLParser):
    """What a browser would run, load or follow to a harmful place."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.found.append(tag)
        for name, value in attrs:
            if name not in ("href", "title", "start", "target", "rel"):
                self.found.append(f"{tag} {name}")
            if name == "href" and not re.match(r"(https?:|mailto:|tel:)", value or ""):
                self.found.append(f"{tag} {name}={value}")
        if tag == "a" and "noopener" not in (dict(attrs).get("rel") or ""):
            self.found.append("a link that hands itself over")


LINK = 'target="_blank" rel="noopener nofollow noreferrer"'
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](java\tscript:alert(1))",
    '![x](x"onerror="alert(1))',
    "![a](https://evil.example/pixel.png)",
    "![a](javascript:alert(1))",
    "<svg/onload=alert(1)>",
    "[x](data:text/html,<script>alert(1)</script>)",
    "`</code><script>alert(1)</script>`",
    "```\n</pre><img src=x onerror=alert(1)>\n```",
    '[x](https://ok.example" onmouseover="alert(1))',
    "[x](https://ok.example 'a\" onmouseover=\"alert(1)')",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<https://ok.example/?a=<script>>",
    "[x](//evil.example)",
    "[x]: javascript:alert(1)\n\n[x]",
    "|a|\n|-|\n|<img src=x onerror=alert(1)>|",
    "\ud800<script>\0</script>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_harmless(attack: str) -> None:
    assert Danger(rendered(attack)).found == []


PIECES = st.sampled_from(
    [*ATTACKS, "[", "](", ")", "*", "_", "`", "```\n", "\n", "> ", "- ", "|", "<", ">", "&", "!", '"']
)


@settings(deadline=None)
@given(st.one_of(st.text(), st.lists(st.one_of(PIECES, st.text(max_size=5)), max_size=20).map("".join)))
@example("[" * 3000)
@example("> " * 3000)
def test_any_text_is_harmless(text: str) -> None:
    assert Danger(rendered(text)).found == []


@pytest.mark.parametrize(
    ("markdown", "shown"),
    [
        ("**粗体**，*斜体*", "<p><strong>粗体</strong>，<em>斜体</em></p>"),
        ("一\n二\n\n三", "<p>一<br>\n二</p>\n<p>三</p>"),
        ("3 < 5 && 7 > 2", "<p>3 &lt; 5 &amp;&amp; 7 &gt; 2</p>"),
        ("- a\n- b", "<ul>\n<li>a</li>\n<li>b</li>\n</ul>"),
        ("3. c", '<ol start="3">\n<li>c</li>\n</ol>'),
        ("~~旧~~", "<p><s>旧</s></p>"),
        (
            "[链接](https://ok.example/a?b=1&c=2)",
            f'<p><a href="https://ok.example/a?b=1&amp;c=2" {LINK}>链接</a></p>',
        ),
        (
            "![图](https://ok.example/a.png)",
            f'<p><a href="https://ok.example/a.png" {LINK}>图</a></p>',
        ),
        ("", ""),
    ],
)
def test_markdown_is_shown_as_such(markdown: str, shown: str) -> None:
    assert rendered(markdown) == shown


@pytest.mark.parametrize(
    ("said", "before", "address", "after"),
    [
        ("请看https://ok.example/a?b=1&c=d_e。", "请看", "https://ok.example/a?b=1&amp;c=d_e", "。"),
        ("见 http://ok.example:8080，谢谢", "见 ", "http://ok.example:8080", "，谢谢"),
        ("See https://ok.example/x.", "See ", "https://ok.example/x", "."),
        ("（https://ok.example/退货）", "（", "https://ok.example/", "退货）"),
        ("(https://ok.example/a)[1]", "(", "https://ok.example/a", ")[1]"),
        ("https://ok.example/*a", "", "https://ok.example/*a", ""),
    ],
)
def test_an_address_in_the_words_is_a_link(said: str, before: str, address: str, after: str) -> None:
    assert rendered(said) == f'<p>{before}<a href="{address}" {LINK}>{address}</a>{after}</p>'


@pytest.mark.parametrize(
    "said",
    ["`https://ok.example`", "    https://ok.example", "ftp://ok.example", "https://", "xhttps://a.b"],
)
def test_what_is_code_or_no_address_is_none(said: str) -> None:
    assert "<a" not in rendered(said)


def test_a_link_that_shows_an_address_is_one_link() -> None:
    assert rendered("[https://a.example](https://b.example)").count("<a") == 1


def test_a_very_long_text_is_shown_as_it_stands() -> None:
    assert rendered("**x**" * MOST) == f"<pre>{'**x**' * MOST}</pre>"


@given(st.text(alphabet=st.characters()))
def test_a_clean_text_can_be_written(text: str) -> None:
    assert "\0" not in clean(text)
    assert clean(text).encode().decode() == clean(text)


@pytest.mark.parametrize("url", ["https://a.example/x?y=1#z", "http://a.example", "/docs/a", "docs/a.md", ""])
def test_addresses_of_pages_may_be_linked(url: str) -> None:
    assert safe_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        " JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "//evil.example",
        "/\\evil.example",
        "https:\\\\evil.example",
        "https://",
        "https:evil.example",
        "http://[x",
        "C:\\x",
        "mailto:a@b.example",
        "https://a.example/ b",
    ],
)
def test_anything_else_may_not(url: str) -> None:
    assert safe_url(url) == ""
