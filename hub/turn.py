"""One question and its answer: what the gateway gives to the agent, and what comes back while it works."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from hub.message import Choice, Citation, InboundMessage, Reply
from hub.person import Person


@dataclass(frozen=True, slots=True)
class Exchange:
    """Something that was said earlier. `channel` is where; `said_at` is aware."""

    by: Literal["person", "agent", "operator"]
    text: str
    channel: str
    said_at: datetime


@dataclass(frozen=True, slots=True)
class Remembered:
    """Something that is known of the person: a fact, or the summary of what was said."""

    text: str
    kind: str = "fact"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that the person sent: its name and its words as Markdown, or a picture, whose name is "".

    Data, and of nobody else's concern.
    """

    name: str = ""
    text: str = ""
    picture: bytes = b""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One question to answer. `id` is the same when the turn is run again after a crash.

    `history` is this person's, oldest first, without the question itself. `deadline` is in seconds
    of the event loop's clock. `attempt` counts from 1.
    """

    id: str
    message: InboundMessage
    person: Person
    history: tuple[Exchange, ...] = ()
    memory: tuple[Remembered, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    deadline: float = float("inf")
    attempt: int = 1

    @property
    def text(self) -> str:
        """The words of the person, unchanged."""
        return self.message.text


@dataclass(frozen=True, slots=True)
class Delta:
    """The answer grows by `text`. What was shown so far is the sum of all deltas of the turn."""

    text: str


@dataclass(frozen=True, slots=True)
class Restarted:
    """What was shown so far is void: another engine answers from the beginning."""


@dataclass(frozen=True, slots=True)
class ToolUsed:
    """A tool was called; for the journal and the metrics."""

    name: str
    outcome: Literal["ok", "failed", "refused", "pending"]
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Usage:
    """What the turn cost a model."""

    model: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Answer:
    """The whole answer; the last event of every turn, exactly once.

    `engine` is the one that spoke. `refused` says that the knowledge does not hold the answer.
    `confidence` is between 0 and 1.
    """

    text: str
    citations: tuple[Citation, ...] = ()
    choices: tuple[Choice, ...] = ()
    engine: str = ""
    refused: bool = False
    confidence: float = 1.0
    usage: Usage = Usage()
    handover: bool = False
    """The agent asks that people take over this conversation."""

    @property
    def reply(self) -> Reply:
        """The part that the person reads."""
        return Reply(self.text, self.citations, self.choices)


TurnEvent = Delta | Restarted | ToolUsed | Answer


class Agent(Protocol):
    """Whoever answers. Called once a turn; yields events and ends with exactly one Answer.

    It raises nothing but asyncio.CancelledError: whatever fails inside ends in a polite Answer.
    """

    def answer(self, turn: Turn) -> AsyncIterator[TurnEvent]: ...
