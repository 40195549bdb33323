"""PowerPoint: the title and the texts of each visible slide; speakers' notes are not for the audience and left out."""

import io
from collections.abc import Iterable, Iterator

import pptx
from pptx.shapes.autoshape import Shape
from pptx.shapes.base import BaseShape
from pptx.shapes.graphfrm import GraphicFrame
from pptx.shapes.group import GroupShape
from pptx.slide import Slide

from agent.knowledge.document import Part, Reading
from agent.knowledge.readers.archive import checked
from agent.knowledge.readers.table import markdown


def read(data: bytes, suffix: str) -> Reading:
    """A part a slide."""
    show = pptx.Presentation(io.BytesIO(checked(data)))
    slides = [(n, slide) for n, slide in enumerate(show.slides, 1) if slide.element.get("show") != "0"]
    return Reading(show.core_properties.title or "", tuple(Part(_text(slide), f"p. {n}") for n, slide in slides))


def _text(slide: Slide) -> str:
    title = slide.shapes.title
    blocks = [f"# {' '.join(title.text.split())}"] if title is not None and title.text.strip() else []
    blocks += _blocks(shape for shape in slide.shapes if title is None or shape.shape_id != title.shape_id)
    return "\n\n".join(filter(None, blocks))


def _blocks(shapes: Iterable[BaseShape]) -> Iterator[str]:
    for shape in shapes:
        if isinstance(shape, GroupShape):
            yield from _blocks(shape.shapes)
        elif isinstance(shape, GraphicFrame) and shape.has_table:
            yield markdown([[cell.text for cell in row.cells] for row in shape.table.rows])
        elif isinstance(shape, Shape):
            yield "\n".join(filter(None, (paragraph.text.strip() for paragraph in shape.text_frame.paragraphs)))
