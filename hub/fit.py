"""Fits a reply to what its channel can show: plain text or Markdown, sources, choices, and pieces of so many bytes.

Pure. Limits are in bytes of UTF-8; a cut stands at the end of a paragraph, a line or a sentence where there
is one, and never inside a character that people see as one (a grapheme: an emoji may be ten code points),
inside a Markdown link, or inside a code block without closing it and opening it again.
"""

from collections.abc import Sequence
from urllib.parse import quote

import regex

from hub.channel import Traits
from hub.journal import Piece
from hub.message import Choice, Citation, Reply
from hub.texts import Texts

ATOM = regex.compile(r"!?\[[^\[\]\n]{0,200}\]\([^()\s]{1,500}\)|\X")
FENCE = regex.compile(r"^ {0,3}(```+|~~~+)([^\n`]*)$", regex.MULTILINE)
SENTENCE_END = frozenset("。！？!?；;…")
CLAUSE_END = frozenset("，,、：: \t")
BOLD = regex.compile(r"(\*\*|__)(?=\S)([^\n]+?)(?<=\S)\1")
HEADING = regex.compile(r"^ {0,3}#{1,6}[ \t]+", regex.MULTILINE)
TURNS = regex.compile("[\u202a-\u202e\u2066-\u2069]")
"""What turns the order of the characters around: "fdp.exe" reads as "exe.pdf"."""
UNQUOTED = regex.compile(r"[][()<>!*`\s]+")
"""What would make more of a source's title than words."""
UNSAFE = regex.compile(r"[][()<>\s]")
"""What ends a link's address before its time."""
LINK = regex.compile(r"!?\[([^\[\]\n]{0,200})\]\((https?://[^()\s]{1,500})\)")
FENCE_LINE = regex.compile(r"^ {0,3}(?:```+|~~~+)[^\n`]*\n?", regex.MULTILINE)


def fit(reply: Reply, traits: Traits, texts: Texts) -> list[Piece]:
    """The messages that a reply becomes on a channel with these traits; [] for a reply that says nothing."""
    text = sound(reply.text)
    text = text if traits.markdown else plain(text)
    if traits.citations != "own":
        text = _below(text, sources(reply.citations, texts, links=traits.citations == "links"))
    buttons = traits.choices and (traits.choices_bytes is None or size(text) <= traits.choices_bytes)
    if not buttons:
        text = spoken(text, reply.choices, texts)
    if not text.strip():
        return []
    most = traits.text_bytes
    if most is not None and not traits.pushes:
        most -= size(texts.more) + 1
    parts = split(text, most) if most is not None else [text]
    return [*(Piece(part) for part in parts[:-1]), Piece(parts[-1], reply.citations, reply.choices if buttons else ())]


def sound(text: str) -> str:
    """The text in the order in which it was written, a question mark for half a surrogate pair, which can't travel."""
    return TURNS.sub("", text.encode("utf-8", "replace").decode())


def size(text: str) -> int:
    """Bytes of UTF-8; a lone surrogate counts as the character that stands in for it."""
    return len(text.encode("utf-8", "replace"))


def plain(markdown: str) -> str:
    """Markdown as people read it without a renderer. Text that is no Markdown stays as it is."""
    text = FENCE_LINE.sub("", markdown)
    text = HEADING.sub("", text)
    text = BOLD.sub(r"\2", text)
    return LINK.sub(lambda m: m[1] if m[1] == m[2] else f"{m[1]} {m[2]} ".rstrip() if m[1] else m[2], text)


def sources(citations: Sequence[Citation], texts: Texts, *, links: bool) -> str:
    """The list of sources that stands under an answer; "" where there are none."""
    if not citations:
        return ""
    lines = []
    for citation in citations:
        title = sound(" ".join(citation.title.split()))
        if links:
            title = UNQUOTED.sub(" ", title).strip()
        if links and citation.url.startswith(("https://", "http://")):
            title = f"[{title}]({UNSAFE.sub(lambda found: quote(found[0]), citation.url)})"
        lines.append(f"[{citation.label}] {title}")
    joint = "\n\n" if links else "\n"
    return joint.join([texts.sources, *lines])


def spoken(text: str, choices: Sequence[Choice], texts: Texts) -> str:
    """The text, and below it what to say in place of pressing something."""
    return _below(text, texts.choose.format(choices=" / ".join(map(_words, choices))) if choices else "")


def _words(choice: Choice) -> str:
    say = choice.say or choice.value
    return say if choice.label in ("", say) else f"{say}（{choice.label}）"


def _below(text: str, more: str) -> str:
    return f"{text.rstrip()}\n\n{more}" if more else text


def split(text: str, most: int) -> list[str]:
    """Pieces of at most `most` bytes; nothing but white space at the cuts is lost."""
    if size(text) <= most:
        return [text]
    fenced = bool(FENCE.search(text))
    room = max(most - (64 if fenced else 0), 4)
    pieces, atoms, start = [], _atoms(text, room), 0
    sizes = [size(atom) for atom in atoms]
    while start < len(atoms):
        end = _cut(atoms, sizes, start, room)
        if piece := "".join(atoms[start:end]).strip("\n"):
            pieces.append(piece)
        start = end
    return _close_fences(pieces) if fenced else pieces


def _atoms(text: str, room: int) -> list[str]:
    """What must not be cut: graphemes and links; one that is larger than a piece is cut after all."""
    atoms: list[str] = []
    for atom in ATOM.findall(text):
        if size(atom) <= room:
            atoms.append(atom)
        else:
            atoms.extend(atom)
    return atoms


def _cut(atoms: list[str], sizes: list[int], start: int, room: int) -> int:
    """Where the piece that begins at `start` ends: the best boundary in the last two thirds of its room."""
    used, end, best, rank_of_best = 0, start, start, -1
    while end < len(atoms) and used + sizes[end] <= room:
        used += sizes[end]
        end += 1
        if used * 3 >= room and (rank := _rank(atoms, end)) >= rank_of_best:
            best, rank_of_best = end, rank
    return end if end == len(atoms) else max(best, start + 1)


def _rank(atoms: list[str], end: int) -> int:
    """How good a cut after atoms[end - 1] is: 4 paragraph, 3 line, 2 sentence, 1 clause, 0 anywhere."""
    last, following = atoms[end - 1], atoms[end] if end < len(atoms) else ""
    if last in ("\n", "\r\n"):
        return 4 if end > 1 and atoms[end - 2] in ("\n", "\r\n") else 3
    if following in ("\n", "\r\n"):
        return 0
    if last in SENTENCE_END or (last == "." and following in (" ", "")):
        return 2
    return 1 if last in CLAUSE_END else 0


def _close_fences(pieces: list[str]) -> list[str]:
    """Closes a code block that a cut left open, and opens it again in the next piece."""
    closed, opened = [], ""
    for piece in pieces:
        whole = f"{opened}\n{piece}" if opened else piece
        opened = _open_fence(whole)
        closed.append(f"{whole}\n{opened.rstrip(opened.lstrip('`~'))}" if opened else whole)
    return closed


def _open_fence(text: str) -> str:
    """The line that opened the code block in which the text ends, "" when it ends outside."""
    opened = ""
    for mark, info in FENCE.findall(text):
        if not opened:
            opened = mark + info[:40]
        elif mark[0] == opened[0] and not info.strip():
            opened = ""
    return opened
