"""What is put under an answer where an approved question is close to the one that was asked."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

from agent.approved.answer import Approved
from hub.message import Choice
from hub.texts import Texts
from hub.turn import Answer, Delta, Restarted, TurnEvent


async def offering(
    events: AsyncGenerator[TurnEvent, None], near: Sequence[Approved], said: Texts
) -> AsyncGenerator[TurnEvent, None]:
    """The same events; the answer ends with the questions, to be pressed or said, unless it has choices of its own."""
    grew = False
    async for event in events:
        if isinstance(event, Answer) and near and not event.choices and not event.handover:
            added = f"\n\n{said.perhaps}"
            if grew:
                yield Delta(added)
            choices = tuple(Choice(one.question, one.question) for one in near)
            yield replace(event, text=event.text + added, choices=choices)
            return
        grew = isinstance(event, Delta) or (grew and not isinstance(event, Restarted))
        yield event
