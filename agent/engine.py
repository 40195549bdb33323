"""The ports of this room: Knowledge finds passages, Tools do things, and an Engine makes an answer of them.

Engines only reason. What they may read and do comes in with the Context; nothing is kept between two turns.

AgentError              what the ladder and the models act upon; no person ever reads its text
├── EngineFailed        this engine gives no answer to this turn: the next rung does
│   ├── EngineTimedOut  it took too long
│   └── EngineRefused   it will not work until the operator acts (a key, a model name)
├── ToolFailed          a tool did not work; its text is for the model
│   └── ToolRefused     it may not be used here and now
└── Unconfirmed         a tool acts only after the person's yes; the turn ends with the question
"""

from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

from hub.errors import HubError
from hub.person import Language
from hub.turn import Answer, Turn, TurnEvent

THRESHOLD = 0.5
"""Below this confidence the knowledge does not hold the answer."""


class AgentError(HubError):
    """Something that the agent itself reports."""


class EngineFailed(AgentError):
    """The engine gave no answer. `code` is short and for the log: a status, or the kind of the error."""

    def __init__(self, code: str = "failed") -> None:
        super().__init__(code)
        self.code = code


class EngineTimedOut(EngineFailed):
    """The engine took longer than it may."""

    def __init__(self, code: str = "timeout") -> None:
        super().__init__(code)


class EngineRefused(EngineFailed):
    """The model refuses our key, our model name or our request: until the operator acts."""


class ToolFailed(AgentError):
    """A tool did not work. The text says to the model what it may do instead."""

    outcome: ClassVar[Literal["failed", "refused"]] = "failed"
    """As it is counted."""


Refusal = Literal["linked", "group", "confirm", "calls"]
"""Why a tool is refused: the person is not known, others read along, nobody can be asked, enough was called."""


class ToolRefused(ToolFailed):
    """A tool may not be used by this person, in this place or at this time. `why` is for whoever tells the person."""

    outcome = "refused"

    def __init__(self, why: Refusal) -> None:
        super().__init__(REFUSED[why])
        self.why = why


REFUSED: dict[Refusal, str] = {
    "linked": "没有执行：还不知道提问者是谁。请告诉用户：先登录再问，"
    "或者在已登录的渠道发送 /link 取得绑定码，并发到这里。",
    "group": "没有执行：这涉及个人信息，不能在群里查询。请让用户私下询问。",
    "confirm": "没有执行：这需要用户本人确认，而现在无法请用户确认。",
    "calls": "没有执行：这一次已经用了太多工具。请根据已有结果回答。",
}


class Unconfirmed(AgentError):
    """The tool acts only after the person's yes. `question` asks for it, and ends the turn of every engine."""

    def __init__(self, question: Answer) -> None:
        super().__init__("unconfirmed")
        self.question = question


@dataclass(frozen=True, slots=True)
class Passage:
    """A slice of a document.

    `document` is its title, `source` its path or URL, `url` what a person may open ("" = nothing).
    `text` is exactly as it stands in the document; `heading` is the path of headings above it, and `lead` the
    header of the table whose rows it begins with, where that stands further up.
    """

    id: str
    document: str
    source: str
    url: str
    text: str
    heading: str = ""
    score: float = 0.0
    lead: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """What a search brought: passages, best first, and whether they answer the question.

    `confidence` is between 0 and 1 and calibrated: below THRESHOLD the knowledge does not hold it. `meant` is what
    was searched for in the place of a mistyped question, else "".
    """

    passages: tuple[Passage, ...] = ()
    confidence: float = 0.0
    meant: str = ""

    @property
    def answers(self) -> bool:
        """Whether the knowledge holds the answer, as far as the search can tell."""
        return bool(self.passages) and self.confidence >= THRESHOLD


class Knowledge(Protocol):
    """The documents. `version` grows with every change, so that what was answered before is not answered again."""

    @property
    def version(self) -> int: ...

    async def search(self, question: str, *, limit: int = 6) -> Found: ...


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool as a model is told of it. `parameters` is a JSON schema, written as JSON.

    `examples` are questions that it answers, by which it is chosen where there is no model.
    """

    name: str
    description: str
    parameters: str
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """What a tool did, and how it is told.

    `arguments` is JSON; `result` is for a model, `says` for the person where no model speaks. `rules` is a question to
    the knowledge whose answer belongs to it. A search `failed` where the knowledge does not hold the answer.
    """

    name: str
    arguments: str
    result: str
    says: str
    rules: str = ""
    failed: bool = False


class Tools(Protocol):
    """What may be done in one turn, for one person. Made for the turn, so that nobody acts for somebody else."""

    @property
    def offered(self) -> tuple[ToolSpec, ...]: ...

    async def call(self, name: str, arguments: str) -> str:
        """The result, as a text for the model. `arguments` is JSON as the model wrote it.

        Raises ToolFailed when there is no such tool, the arguments are wrong or the tool did not work, and
        Unconfirmed when the person has to say yes first: nothing was done, and the turn ends with its question.
        """
        ...

    async def use(self, name: str, arguments: str) -> Done:
        """The same for an engine that speaks without a model: it gets the words for the person as well."""
        ...

    async def confirmed(self, name: str, arguments: str) -> Done:
        """Runs what the person said yes to, once, however often the turn is run; what came of it, also a failure.

        `arguments` are those that the question was put with. Raises ToolFailed when there is no such tool any more.
        """
        ...


@dataclass(slots=True)
class Shelf:
    """The passages that a turn has been shown, each under the number by which its answer cites it.

    It grows while tools bring more; a passage keeps its number.
    """

    passages: list[Passage] = field(default_factory=list)

    def put(self, passages: Iterable[Passage]) -> list[tuple[int, Passage]]:
        """Puts them on the shelf; returns each with its number, the old one where it stands there already."""
        numbers = {passage.id: number for number, passage in enumerate(self.passages, 1)}
        placed = []
        for passage in passages:
            if passage.id not in numbers:
                self.passages.append(passage)
                numbers[passage.id] = len(self.passages)
            placed.append((numbers[passage.id], passage))
        return placed

    def get(self, number: int) -> Passage | None:
        """The passage under this number."""
        return self.passages[number - 1] if 1 <= number <= len(self.passages) else None


@dataclass(frozen=True, slots=True)
class Budget:
    """What one turn may cost. `deadline` is in seconds of the event loop's clock."""

    deadline: float = float("inf")
    steps: int = 6
    """How often a model may be asked."""
    tokens: int = 2048
    """How long its answer may be."""
    calls: int = 8
    """How often declared tools may be used."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that an engine may use for one turn besides the turn itself.

    `question` is what was searched for: the words of the person, after their question before where they only
    make sense together.
    """

    question: str
    shelf: Shelf
    confidence: float
    """How sure it is that the passages on the shelf answer the question."""
    tools: Tools
    instructions: str = ""
    language: Language = "zh"
    budget: Budget = Budget()
    done: Done | None = None
    """What the answer has to tell the person first: the outcome of what they said yes to."""
    own: str = ""
    """The words of the person alone, where `question` was put together from theirs and those before."""
    meant: str = ""
    """What was searched for in the place of a mistyped question."""

    @property
    def answerable(self) -> bool:
        """Whether the passages on the shelf answer the question."""
        return Found(tuple(self.shelf.passages), self.confidence).answers


class Engine(Protocol):
    """Makes an answer. Yields deltas and used tools, and ends with exactly one Answer.

    The deltas since the start or the last Restarted add up to the answer's text, or there are none.
    Raises EngineFailed when it has no answer; the ladder then asks the next engine.
    """

    name: str

    def answer(self, turn: Turn, context: Context) -> AsyncGenerator[TurnEvent, None]: ...

    async def warm(self) -> None:
        """Gets ready in the background what would make the first question slow."""
        return

    async def close(self) -> None:
        """Gives back what it holds."""
        return
