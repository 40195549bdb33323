"""What replicas tell each other about streams. Pure."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, TypeAdapter
from pydantic.dataclasses import dataclass

from hub.message import Conversation


@dataclass(frozen=True, slots=True)
class State:
    """What a poll is answered with. `pieces`: how many pieces of answers it carries."""

    content: str
    finish: bool
    pieces: int = 0


class Told(BaseModel):
    """All that a stream shows."""

    kind: Literal["told"] = "told"
    id: str
    conversation: Conversation
    live: str
    pieces: list[str]
    finished: bool
    end: State | None


class Carried(BaseModel):
    """A poll has carried so many pieces away."""

    kind: Literal["carried"] = "carried"
    id: str
    count: int


News = Annotated[Told | Carried, Field(discriminator="kind")]
_news: TypeAdapter[Told | Carried] = TypeAdapter(News)


def write(news: Told | Carried) -> str:
    """As text."""
    return news.model_dump_json()


def read(text: str) -> Told | Carried:
    """From text."""
    return _news.validate_json(text)
