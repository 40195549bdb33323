"""The port of a language model. It is smaller than any library's: what an answer needs and nothing else."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol

from agent.engine import ToolSpec


@dataclass(frozen=True, slots=True)
class ToolCall:
    """The model asks for a tool. `arguments` is what it wrote, which may be no JSON at all."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that the model is shown, if it takes any."""

    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Message:
    """One message of what the model is shown. `call` is the id of the tool call whose result this is."""

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    calls: tuple[ToolCall, ...] = ()
    call: str = ""
    pictures: tuple[Picture, ...] = ()


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the model. `tokens` is how long the answer may be."""

    messages: tuple[Message, ...]
    tools: tuple[ToolSpec, ...] = ()
    tokens: int = 2048


@dataclass(frozen=True, slots=True)
class Words:
    """The answer grows by these."""

    text: str


@dataclass(frozen=True, slots=True)
class Spent:
    """What the call cost."""

    input_tokens: int
    output_tokens: int


Piece = Words | ToolCall | Spent


class Model(Protocol):
    """A model. Raises EngineFailed, EngineTimedOut and EngineRefused; keeps nothing between two calls."""

    name: str

    def ask(self, request: Request) -> AsyncGenerator[Piece, None]:
        """The answer, piece by piece. Ends normally only when the model said all it had to say."""
        ...

    async def warm(self) -> None:
        """Imports and opens what would make the first call slow."""

    async def close(self) -> None:
        """Closes its connections."""
