"""Rows in, parts out: a row is one part, each cell under the name of its column. Here for CSV files, and for sheets."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from agent.knowledge.document import Part, Reading
from agent.knowledge.readers.text import decode

MOST_ROWS = 100_000


def read(data: bytes, suffix: str) -> Reading:
    """A file of values; the separator is the one that its first lines have most of."""
    text = decode(data)
    head = "\n".join(text.splitlines()[:5])
    separator = "\t" if suffix == ".tsv" else max(",;\t", key=head.count)
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    return Reading("", tuple(parts(rows)))


def parts(rows: Iterable[Sequence[object]], sheet: str = "") -> Iterator[Part]:
    """A part a row, with its place ("sheet!row", "#row" where there is no sheet)."""
    header: list[str] | None = None
    for number, row in enumerate(rows, 1):
        cells = [shown(cell) for cell in row]
        if number > MOST_ROWS:
            break
        if not any(cells):
            continue
        if header is None:
            header = cells
            if _names(cells):
                continue
            header = []
        if text := line(header, cells):
            yield Part(text, f"{sheet}!{number}" if sheet else f"#{number}", "row")


def _names(cells: Sequence[str]) -> bool:
    """Whether a first row names columns: it has two names or more, all short, none a figure."""
    named = [cell for cell in cells if cell]
    return len(named) > 1 and all(len(cell) <= 40 and not cell.replace(".", "").isdigit() for cell in named)


def line(header: Sequence[str], cells: Sequence[str]) -> str:
    """One row: "name：value" a line; cells without a value are left out."""
    named = [*header, *[""] * (len(cells) - len(header))]
    return "\n".join(f"{name}：{cell}" if name else cell for name, cell in zip(named, cells, strict=False) if cell)


def shown(cell: object) -> str:
    """A cell as people read it: a whole number without its ".0", in one line."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return " ".join(str(cell).split())


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; the first row is its header."""
    lines = [
        "| " + " | ".join(" ".join(cell.replace("|", "／").split()) for cell in row) + " |" for row in rows if any(row)
    ]
    return "\n".join([*lines[:1], "|" + "---|" * len(rows[0]), *lines[1:]]) if lines else ""
