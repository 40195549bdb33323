"""Excel workbooks: every row of every visible sheet."""

import io
from collections.abc import Iterator

import openpyxl

from agent.knowledge.document import Part, Reading
from agent.knowledge.readers.archive import checked
from agent.knowledge.readers.table import parts


def read(data: bytes, suffix: str) -> Reading:
    """Formulas are shown with the values that were computed last."""
    book = openpyxl.load_workbook(io.BytesIO(checked(data)), read_only=True, data_only=True)
    try:
        return Reading(book.properties.title or "", tuple(_rows(book)))
    finally:
        book.close()


def _rows(book: openpyxl.Workbook) -> Iterator[Part]:
    for sheet in book.worksheets:
        if sheet.sheet_state == "visible":
            sheet.reset_dimensions()  # some programs write a wrong size
            yield from parts(sheet.iter_rows(values_only=True), sheet.title)
