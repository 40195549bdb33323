"""Markdown → the HTML that a web page may show as it is. Pure, and total: any text gives harmless HTML.

Two fences, each of which would do alone: the renderer takes no HTML in (`html: False`, only harmless schemes in
links), and what comes out is cleaned by an allow-list. A picture becomes a link: one that loads by itself tells
its owner who reads the answer, and breaks the embedding page's content security policy.
"""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererProtocol
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

from hub.fit import sound

MOST = 20_000
"""Characters above which a text is shown as it stands: rendering must never hold up the other visitors."""
KEPT = 256
"""Rendered texts that are remembered: many tabs and reconnects show the same ones."""
TAGS = {
    *("a", "blockquote", "br", "code", "del", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre"),
    *("s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
SCHEMES = {"http", "https", "mailto", "tel"}
HOST, PATH = r"https?://[A-Za-z0-9][\w.-]{0,253}(?::\d{1,5})?", r"[/?#][\w./?#%!$&'*+,;=:@~-]*"
ADDRESS = re.compile(rf"(?<![\w/@.-])({HOST}(?:{PATH})?)", re.ASCII)
"""A web address as people write it: it ends where Chinese begins, before a bracket, and before what ends a sentence."""
UNSAFE = re.compile(r"[\x00-\x20\\\x7f]")


def _picture(self: RendererProtocol, tokens: Sequence[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    """A picture as a link to it."""
    source = escape(str(tokens[at].attrs.get("src", "")))
    return f'<a href="{source}">{escape(tokens[at].content) or source}</a>'


def _addresses(state: StateCore) -> None:
    """Makes links of the addresses that stand in the words, as every chat does; not in code, nor within a link."""
    for token in state.tokens:
        inside, made = 0, list[Token]()
        for child in token.children or ():
            inside += child.nesting if child.type in ("link_open", "link_close") else 0
            made += [child] if inside or child.type != "text" else _linked(child.content, child.level)
        token.children = made if token.children else token.children


def _linked(words: str, level: int) -> list[Token]:
    tokens = []
    for number, part in enumerate(ADDRESS.split(words)):
        address = part.rstrip(".,;:!?'*") if number % 2 else ""
        if address:
            opening = Token("link_open", "a", 1, attrs={"href": address}, level=level)
            tokens += [opening, Token("text", "", 0, content=address, level=level), Token("link_close", "a", -1)]
        if part[len(address) :]:
            tokens.append(Token("text", "", 0, content=part[len(address) :], level=level))
    return tokens


def _renderer() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "breaks": True}).enable(["table", "strikethrough"])
    markdown.add_render_rule("image", _picture)
    markdown.core.ruler.push("addresses", _addresses)
    return markdown


_MARKDOWN = _renderer()
_CLEANER = nh3.Cleaner(
    tags=TAGS,
    clean_content_tags={"script", "style"},
    attributes={"a": {"href", "title"}, "ol": {"start"}},
    set_tag_attribute_values={"a": {"target": "_blank"}},
    url_schemes=SCHEMES,
    url_relative="deny",
    link_rel="noopener nofollow noreferrer",
)


def clean(text: str) -> str:
    """The text without what JSON and HTML readers trip over (lone surrogates, NUL) or what turns its order around."""
    return sound(text).replace("\0", "\ufffd")


@lru_cache(maxsize=KEPT)
def html(text: str) -> str:
    """Harmless HTML for a Markdown text."""
    text = clean(text)
    rendered = _MARKDOWN.render(text) if len(text) <= MOST else f"<pre>{escape(text)}</pre>"
    return _CLEANER.clean(rendered).strip()


def safe_url(url: str) -> str:
    """The URL where a page may link to it: http(s), or a path of the hub; else ""."""
    url = clean(url).strip()
    try:
        parts = urlsplit(url)
    except ValueError:
        return ""
    if UNSAFE.search(url) or (parts.scheme and not (parts.scheme in ("http", "https") and parts.hostname)):
        return ""
    return "" if not parts.scheme and parts.netloc else url
