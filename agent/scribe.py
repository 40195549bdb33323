"""A model that writes for the hub itself and not for a person: no tools, no passages, no history."""

from collections.abc import Sequence
from contextlib import aclosing

from agent.engine import EngineFailed
from agent.models import providers
from agent.models.model import Message, Model, Request, Words
from config.sections import AgentSection

TOKENS = 1500
"""How long what it writes may be."""


class ModelScribe:
    """Asks the configured models in their order until one writes."""

    def __init__(self, models: Sequence[Model]) -> None:
        self._models = models

    async def write(self, task: str, words: str) -> str:
        """What the first model that works writes; `words` are data. Raises EngineFailed when none does."""
        request = Request((Message("system", task), Message("user", words)), tokens=TOKENS)
        failure = EngineFailed("none")
        for model in self._models:
            try:
                async with aclosing(model.ask(request)) as pieces:
                    return "".join([piece.text async for piece in pieces if isinstance(piece, Words)])
            except EngineFailed as error:
                failure = error
        raise failure

    async def close(self) -> None:
        """Closes the models' connections."""
        for model in self._models:
            await model.close()


def scribe(section: AgentSection) -> ModelScribe | None:
    """That of a configuration; None without a model."""
    found = [providers.model(section.model), *map(providers.model, section.model.fallbacks)]
    models = [model for model in found if model is not None]
    return ModelScribe(models) if models else None
