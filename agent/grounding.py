"""A model's answer, checked against what it was shown before it is the answer of the turn."""

from collections.abc import AsyncGenerator
from dataclasses import replace

import structlog

from agent.cite import citations
from agent.engine import Context
from agent.engines.extractive import Extractive
from agent.grounds import grounded
from agent.leaks import tight
from hub.texts import texts
from hub.turn import Answer, Delta, Restarted, Turn, TurnEvent

log = structlog.get_logger()


async def grounding(
    events: AsyncGenerator[TurnEvent, None], turn: Turn, context: Context
) -> AsyncGenerator[TurnEvent, None]:
    """The same events. An answer that its sources don't bear out begins anew, with what they do say."""
    grew = False
    async for event in events:
        grew = isinstance(event, Delta) or (grew and not isinstance(event, Restarted))
        if isinstance(event, Answer):
            said = checked(event, turn, context)
            if said.text != event.text:
                log.info("an answer said more than its sources", turn=turn.id, engine=event.engine)
                if grew:
                    yield Restarted()
                    yield Delta(said.text)
            event = said
        yield event


def checked(answer: Answer, turn: Turn, context: Context) -> Answer:
    """The answer with what its sources say; that it is not known where they say nothing of it. Pure.

    An answer without citations rests on none, and one that only quotes is what they say.
    """
    if answer.engine == Extractive.name:
        return answer
    given = _given(turn, context)
    text = tight(answer.text, f"{given}\n{context.instructions}\n{_shelved(context)}", context.instructions)
    if answer.citations:
        text = grounded(text, context.shelf, given)
    if text == answer.text:
        return answer
    if not text:
        return replace(answer, text=texts(context.language).unknown, citations=(), refused=True)
    return replace(answer, text=text, citations=citations(text, context.shelf, context.question))


def _shelved(context: Context) -> str:
    """What stands on the shelf, with the addresses that lead to it."""
    return "\n".join(f"{passage.text}\n{passage.url}\n{passage.source}" for passage in context.shelf.passages)


def _given(turn: Turn, context: Context) -> str:
    """What may be repeated without a source: what was said in this conversation, is remembered, or a tool brought."""
    said = (exchange.text for exchange in turn.history)
    remembered = (fact.text for fact in turn.memory)
    brought = (passage.text for passage in context.shelf.passages if passage.id.startswith(f"{turn.id}-"))
    done = context.done.result if context.done else ""
    return "\n".join((turn.text, context.question, done, *said, *remembered, *brought))
