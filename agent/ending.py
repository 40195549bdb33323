"""How the answer of a model ends, in every engine that has one: its sources, and all that the hub keeps of it."""

from collections.abc import Iterator

from agent.cite import citations, marks, sources
from agent.engine import Context, EngineFailed
from agent.reply import Words
from hub.turn import Answer, Usage

RESULT = 8000
"""Characters of a tool's result that the model is shown."""


def last(words: Words, context: Context) -> Iterator[str]:
    """The last words, and the sources where the model named none. Raises EngineFailed when nothing was said."""
    yield words.end()
    if not words.text:
        raise EngineFailed("empty")
    if context.answerable and not citations(words.text, context.shelf, ""):
        found = marks(words.text, *sources(words.text, context.shelf))
        yield words.feed(found) + words.end()


def answer(words: Words, context: Context, engine: str, usage: Usage) -> Answer:
    """The whole answer."""
    cited = citations(words.text, context.shelf, context.question)
    return Answer(
        words.text,
        cited,
        engine=engine,
        refused=not cited and not context.answerable,
        confidence=context.confidence,
        usage=usage,
    )
