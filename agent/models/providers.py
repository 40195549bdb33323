"""From `[agent.model]` in hub.toml to a model, and `doctor`'s question to it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from agent.engine import EngineFailed, EngineRefused, EngineTimedOut
from agent.models.model import Message, Model, Piece, Request, Words
from agent.models.openai import SILENCE, ChatModel
from config.sections import ModelSection
from hub.channel import Finding

ADDRESSES = {
    "openai": "https://api.openai.com/v1",
    "ollama": "http://127.0.0.1:11434/v1",
    "huggingface": "https://router.huggingface.co/v1",
    "anthropic": "https://api.anthropic.com",
}
"""Where each provider is reached when `base_url` is left out."""


def model(section: ModelSection) -> Model | None:
    """The configured model; None for provider = "none"."""
    if section.provider == "none":
        return None
    key = section.api_key.value if section.api_key else ""
    address = section.base_url or ADDRESSES[section.provider]
    if section.provider == "anthropic":
        return Later(section.name, lambda: _anthropic(section, address, key))
    own = section.provider == "openai" and not section.base_url
    return ChatModel(
        section.name, base_url=address, api_key=key, timeout=section.timeout, fresh=own, pictures=section.pictures
    )


class Later:
    """A model whose code is imported when it is first needed, beside the event loop."""

    def __init__(self, name: str, make: Callable[[], Model]) -> None:
        self.name = name
        self._make = make
        self._model: Model | None = None
        self._making = asyncio.Lock()

    async def ask(self, request: Request) -> AsyncGenerator[Piece, None]:
        """Asks the model that is behind."""
        made = await self._made()
        async for piece in made.ask(request):
            yield piece

    async def warm(self) -> None:
        """Imports it."""
        await (await self._made()).warm()

    async def close(self) -> None:
        """Closes it, where it was needed at all."""
        if self._model is not None:
            await self._model.close()

    async def _made(self) -> Model:
        async with self._making:
            if self._model is None:
                self._model = await asyncio.to_thread(self._make)
        return self._model


def _anthropic(section: ModelSection, address: str, key: str) -> Model:
    from agent.models.anthropic import AnthropicModel

    return AnthropicModel(
        section.name,
        base_url=address,
        api_key=key,
        timeout=section.timeout,
        silence=SILENCE,
        pictures=section.pictures,
    )


async def probe(section: ModelSection) -> Finding:
    """Asks the model for one word, and says what to change when none comes."""
    asked = model(section)
    if asked is None:
        return Finding("agent.model", True, "no model: the hub answers with the passages themselves")
    question = Request((Message("user", "Say: ok"),), tokens=16)
    try:
        async with aclosing(asked.ask(question)) as pieces:
            words = [piece async for piece in pieces if isinstance(piece, Words)]
    except EngineFailed as failure:
        return Finding("agent.model", False, f"{section.name} does not answer ({failure.code})", _advice(failure))
    finally:
        await asked.close()
    return Finding("agent.model", True, f"{section.name} answers" if words else f"{section.name} answers without words")


def _advice(failure: EngineFailed) -> str:
    match failure:
        case EngineRefused(code="404"):
            return "agent.model.name or agent.model.base_url is wrong: the server does not know this model or this path"
        case EngineRefused():
            return "agent.model.api_key is wrong, or may not use this model"
        case EngineTimedOut():
            return (
                "the model is too slow, or agent.model.base_url is not reachable: raise agent.model.timeout or check it"
            )
        case EngineFailed(code="429"):
            return "the account has no quota left, or too many requests are sent"
        case EngineFailed(code="unreadable"):
            return "agent.model.base_url speaks another protocol; an OpenAI-compatible one mostly ends in /v1"
        case _:
            return "check agent.model.base_url and that the server runs"
