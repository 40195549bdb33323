"""Small files of every format, with Chinese in them."""

import io
from collections.abc import Sequence

import docx
import openpyxl
import pptx


def word(blocks: Sequence[tuple[str, str]], rows: Sequence[Sequence[str]] = ()) -> bytes:
    """A document of (style, text) paragraphs and one table."""
    document = docx.Document()
    for style, text in blocks:
        document.add_paragraph(text, style=style)
    if rows:
        table = document.add_table(len(rows), len(rows[0]))
        for cells, texts in zip(table.rows, rows, strict=True):
            for cell, text in zip(cells.cells, texts, strict=True):
                cell.text = text
    return saved(document)


def sheet(name: str, rows: Sequence[Sequence[object]]) -> bytes:
    """A workbook of one sheet, and a hidden one."""
    book = openpyxl.Workbook()
    page = book.create_sheet(name, 0)
    for row in rows:
        page.append(list(row))
    hidden = book.create_sheet("成本")
    hidden.append(["进价", "三元"])
    hidden.sheet_state = "hidden"
    return saved(book)


def slides(pages: Sequence[tuple[str, str]]) -> bytes:
    """A show of (title, text) slides, with a note on each."""
    show = pptx.Presentation()
    for title, text in pages:
        slide = show.slides.add_slide(show.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = text
        slide.notes_slide.notes_text_frame.text = "只给讲解人看"
    return saved(show)


def saved(document: object) -> bytes:
    """Its bytes."""
    out = io.BytesIO()
    document.save(out)  # type: ignore[attr-defined]  # all three packages save in this way
    return out.getvalue()


def pdf(pages: Sequence[Sequence[str]]) -> bytes:
    """A PDF with these lines on its pages; each glyph says which character it stands for."""
    characters = sorted({c for lines in pages for line in lines for c in line})
    code = {character: n for n, character in enumerate(characters, 1)}
    mapped = "\n".join(f"<{n:04x}> <{character.encode('utf-16-be').hex()}>" for character, n in code.items())
    cmap = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        f"1 begincodespacerange <0000> <ffff> endcodespacerange {len(code)} beginbfchar\n{mapped}\n"
        "endbfchar endcmap end end"
    )
    kids = " ".join(f"{6 + 2 * n} 0 R" for n in range(len(pages)))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {len(pages)}>>",
        "<</Type/Font/Subtype/Type0/BaseFont/A/Encoding/Identity-H/DescendantFonts[4 0 R]/ToUnicode 5 0 R>>",
        "<</Type/Font/Subtype/CIDFontType2/BaseFont/A/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"
        "/DW 1000/FontDescriptor<</Type/FontDescriptor/FontName/A/Flags 4/FontBBox[0 0 1000 1000]/ItalicAngle 0"
        "/Ascent 800/Descent -200/CapHeight 700/StemV 80>>>>",
        f"<</Length {len(cmap)}>>stream\n{cmap}\nendstream",
    ]
    for number, lines in enumerate(pages):
        shown = "".join(f"<{''.join(f'{code[c]:04x}' for c in line)}> Tj 0 -20 Td " for line in lines)
        drawn = f"BT /F 12 Tf 50 780 Td {shown}ET"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents {7 + 2 * number} 0 R"
            "/Resources<</Font<</F 3 0 R>>>>>>"
        )
        objects.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
    return _written(objects)


def _written(objects: Sequence[str]) -> bytes:
    out, places = "%PDF-1.7\n", []
    for number, text in enumerate(objects, 1):
        places.append(len(out))
        out += f"{number} 0 obj{text}endobj\n"
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    size = len(objects) + 1
    end = (
        f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer<</Size {size}/Root 1 0 R>>\nstartxref\n{len(out)}\n%%EOF"
    )
    return (out + end).encode("ascii")
