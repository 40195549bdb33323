"""Word documents: headings, paragraphs, lists and tables in their order, as Markdown."""

import io
import re
from collections.abc import Iterator
from itertools import groupby

import docx
from docx.table import Table
from docx.text.paragraph import Paragraph

from agent.knowledge.document import Part, Reading
from agent.knowledge.readers.archive import checked
from agent.knowledge.readers.table import markdown

HEADING = re.compile(r"(?:heading|标题)\s*(\d)", re.IGNORECASE)


def read(data: bytes, suffix: str) -> Reading:
    """Page headers, footers and comments are left out."""
    document = docx.Document(io.BytesIO(checked(data)))
    blocks = [
        _table(block) if isinstance(block, Table) else _paragraph(block) for block in document.iter_inner_content()
    ]
    return Reading(document.core_properties.title or "", (Part("\n\n".join(filter(None, blocks))),))


def _paragraph(paragraph: Paragraph) -> str:
    text = paragraph.text.strip()
    style = (paragraph.style.name or "") if paragraph.style else ""
    if heading := HEADING.match(style):
        return f"{'#' * min(int(heading[1]), 6)} {text}" if text else ""
    if style in ("Title", "标题"):
        return f"# {text}" if text else ""
    return f"- {text}" if text and style.startswith(("List", "列表")) else text


def _table(table: Table) -> str:
    return markdown([list(_cells(row.cells)) for row in table.rows])


def _cells(cells: object) -> Iterator[str]:
    """The texts of a row; a merged cell stands once for each column, and is shown once."""
    for _, same in groupby(cells, key=lambda cell: cell._tc):  # type: ignore[call-overload]  # python-docx is untyped
        yield next(same).text
