"""Approved answers as a table: CSV as spreadsheets write and read it.

The first row names the columns, in any order: `question`, `answer`, and where there are some `source`, `url`; or
问题, 答案, 来源, 链接. UTF-8 or GB18030; comma, semicolon or tab between the cells.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from agent.approved.answer import Approved
from agent.approved.book import COLUMNS

if TYPE_CHECKING:
    import _csv
NAMES = dict(zip(("问题", "答案", "来源", "链接"), COLUMNS, strict=True)) | {name: name for name in COLUMNS}
DELIMITERS = ",;\t，"
FORMULA = re.compile(r"'*[=+\-@\t\r]")
"""What a spreadsheet would run: https://owasp.org/www-community/attacks/CSV_Injection"""
LONGEST = {"question": 500, "answer": 8000, "source": 200, "url": 2000}
"""Characters of a cell."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a table holds, and what is wrong with it: each fault with its line. With a fault nothing is taken."""

    answers: tuple[Approved, ...] = ()
    faults: tuple[str, ...] = ()


def read(data: bytes) -> Sheet:
    """The approved answers in a CSV file."""
    text = _decoded(data)
    if text is None:
        return Sheet(faults=("the file is neither UTF-8 nor GB18030",))
    first = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=first.count)
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        return _sheet(_numbered(lines))
    except csv.Error as error:
        return Sheet(faults=(f"line {lines.line_num}: {error}",))


def write(answers: Sequence[Approved]) -> str:
    """The same table again; what a spreadsheet would take for a formula has an apostrophe before it, as in its own."""
    out = io.StringIO(newline="")
    sheet = csv.writer(out)
    sheet.writerow(COLUMNS)
    sheet.writerows([_guarded(getattr(one, name)) for name in COLUMNS] for one in answers)
    return out.getvalue()


def _guarded(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell


def _plain(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def _decoded(data: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    return None


def _numbered(lines: "_csv.Reader") -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty with the line at which it begins."""
    begins = 1
    for cells in lines:
        if any(cell.strip() for cell in cells):
            yield begins, [_plain(cell.strip()) for cell in cells]
        begins = lines.line_num + 1


def _sheet(rows: Iterator[tuple[int, list[str]]]) -> Sheet:
    line, header = next(rows, (1, []))
    names = [NAMES.get(cell.casefold(), "") for cell in header]
    if missing := [name for name in ("question", "answer") if name not in names]:
        return Sheet(faults=(f"line {line}: there is no column {' and no column '.join(missing)}",))
    answers: dict[str, tuple[int, Approved]] = {}
    faults: list[str] = []
    for line, cells in rows:
        one = dict(zip(names, cells, strict=False))
        wrong = list(_faults(one, len(cells), len(names)))
        faults += [f"line {line}: {why}" for why in wrong]
        if wrong:
            continue
        made = Approved(**{name: one.get(name, "") for name in COLUMNS})
        before, _ = answers.setdefault(made.normal, (line, made))
        if before != line:
            faults.append(f"line {line}: asks the same as line {before}")
    return Sheet(tuple(made for _, made in answers.values()), tuple(faults))


def _faults(one: dict[str, str], cells: int, names: int) -> Iterator[str]:
    """What is wrong with a row."""
    if cells > names:
        yield f"has {cells} cells under {names} columns; a cell with a comma stands in quotes"
    for name in ("question", "answer"):
        if not one.get(name):
            yield f"{name} is empty"
    yield from wrong(one)


def wrong(one: dict[str, str]) -> Iterator[str]:
    """What is wrong with the cells of an answer, whoever wrote them."""
    for name, most in LONGEST.items():
        if len(one.get(name, "")) > most:
            yield f"{name} has more than {most} characters"
    url = one.get("url", "")
    if url and not url.startswith(("https://", "http://")):
        yield "url does not begin with https:// or http://"
    if url and not one.get("source"):
        yield "url needs a source, which names what it leads to"
