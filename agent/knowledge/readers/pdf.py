"""PDF: the text of each page without headers, footers and page numbers, its broken lines joined again."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import pypdfium2

from agent.knowledge.clean import clean
from agent.knowledge.document import Part, Reading
from agent.knowledge.readers import NotRead

MOST_PAGES = 5000
ENDED = re.compile("[。！？!?；;：:.…”」』）)]$")
BEGINS = re.compile(
    r"(?:[-*•·●○■◆▪–—]|\d{1,3}(?:\.\d{1,3})*[.、)）\s]|[(（]\d{1,3}[)）]|[一二三四五六七八九十]{1,3}、|第.{1,4}[章节条])"
)
PAGE_NUMBER = re.compile(r"[-–—\s]*(?:第\s*)?\d{1,4}(?:\s*页)?(?:\s*[/／共]\s*\d{1,4}(?:\s*页)?)?[-–—\s]*")
LATIN = re.compile(r"[A-Za-z0-9,;)]$")


def read(data: bytes, suffix: str) -> Reading:
    """A part a page. Raises NotRead for a protected file and for pictures of text."""
    try:
        book = pypdfium2.PdfDocument(data)
    except pypdfium2.PdfiumError as error:
        raise NotRead("protected by a password" if "password" in str(error).lower() else "not a PDF") from None
    try:
        title = book.get_metadata_value("Title")
        pages = [clean(book[n].get_textpage().get_text_bounded()) for n in range(min(len(book), MOST_PAGES))]
    finally:
        book.close()
    if not any(pages):
        raise NotRead("no text in it: pictures of text must be recognised first")
    edges = _repeated(pages)
    texts = [flowing([line for line in page.split("\n") if line.strip() not in edges]) for page in pages]
    return Reading(title, tuple(Part(text, f"p. {n}", "plain") for n, text in enumerate(texts, 1)))


def _repeated(pages: Sequence[str]) -> set[str]:
    """First and last lines that stand on most of the pages."""
    counts = Counter(line.strip() for page in pages for line in {*page.split("\n")[:2], *page.split("\n")[-2:]})
    return {line for line, count in counts.items() if count >= 3 and count * 2 > len(pages)}


def flowing(lines: Sequence[str]) -> str:
    """Lines that the layout broke inside a sentence joined; a line that is much shorter than the page ended itself."""
    kept = [line.strip() for line in lines if not PAGE_NUMBER.fullmatch(line)]
    width = max(map(len, kept), default=0)
    if not kept:
        return ""
    text = kept[0]
    for above, line in pairwise(kept):
        broken = above and line and len(above) * 10 >= width * 7 and not ENDED.search(above) and not BEGINS.match(line)
        text = _joined(text, line) if broken else f"{text}\n{line}"
    return text


def _joined(text: str, line: str) -> str:
    if text.endswith("-") and text[-2:-1].isalpha() and line[:1].islower():
        return text[:-1] + line
    return f"{text} {line}" if LATIN.search(text) and line[:1].isascii() else text + line
