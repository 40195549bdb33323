"""What the agent's tests stand on: a knowledge in memory, turns, and what came out of them."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from agent import overlap
from agent.engine import Budget, Context, Done, Found, Passage, Shelf, ToolFailed, ToolRefused, ToolSpec, Unconfirmed
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity, Person
from hub.turn import Answer, Delta, Exchange, Remembered, Restarted, Turn, TurnEvent

SHIPPING = Passage(
    "p1",
    "配送说明",
    "shipping.md",
    "https://shop.example/shipping",
    "标准配送需要三到五个工作日，偏远地区另加两天。满九十九元免运费，否则运费为八元。",
    "配送说明",
)
REFUNDS = Passage(
    "p2",
    "退货政策",
    "refunds.md",
    "",
    "收到商品后七天内可以无理由退货，退款在仓库验收后四十八小时内原路返回。但定制商品除外。",
    "退货政策",
)
HOURS = Passage("p3", "关于我们", "about.md", "", "门店每天九点开门，晚上九点关门。总部在杭州。", "关于我们 / 营业时间")
PASSAGES = (SHIPPING, REFUNDS, HOURS)


class Library:
    """A knowledge in memory. `asked` is what was searched for."""

    def __init__(self, passages: Iterable[Passage] = PASSAGES) -> None:
        self.passages = tuple(passages)
        self.version = 1
        self.asked: list[str] = []

    async def search(self, question: str, *, limit: int = 6) -> Found:
        self.asked.append(question)
        asked = {term for term in overlap.asked(question) if len(term) > 1}
        held = {p.id: asked & overlap.terms(f"{p.document} {p.heading} {p.text}") for p in self.passages}
        best = sorted(self.passages, key=lambda p: -len(held[p.id]))[:limit]
        share = len(held[best[0].id]) / len(asked) if best and asked else 0.0
        return Found(tuple(best), min(1.0, 2 * share))


@dataclass
class Toolbox:
    """Tools that a test gives; `called` is what was asked of them."""

    offered: tuple[ToolSpec, ...] = ()
    results: tuple[tuple[str, str], ...] = ()
    question: Answer | None = None
    """What the person has to say yes to before anything is done."""
    said_yes: tuple[tuple[str, str], ...] = ()
    """What was run because the person said yes."""

    def __post_init__(self) -> None:
        self.called: list[tuple[str, str]] = []

    async def use(self, name: str, arguments: str) -> Done:
        return Done(name, arguments, await self.call(name, arguments), "")

    async def confirmed(self, name: str, arguments: str) -> Done:
        self.said_yes += ((name, arguments),)
        return Done(name, arguments, dict(self.results)[name], f"说：{dict(self.results)[name]}")

    async def call(self, name: str, arguments: str) -> str:
        self.called.append((name, arguments))
        if self.question:
            raise Unconfirmed(self.question)
        if name not in dict(self.results):
            raise ToolFailed("there is no such tool")
        return dict(self.results)[name]


class Strict(Toolbox):
    """Tools that whoever asks may not use."""

    async def call(self, name: str, arguments: str) -> str:
        raise ToolRefused("linked")


LOOK = ToolSpec("look", "Looks.", '{"type": "object", "properties": {"at": {"type": "string"}}}')


def turn(
    text: str,
    *,
    who: str = "u",
    history: tuple[tuple[str, str], ...] = (),
    memory: tuple[str, ...] = (),
    deadline: float = float("inf"),
) -> Turn:
    """A turn of a web visitor. `history` has pairs of who spoke ("person", "agent", "operator") and the words."""
    conversation = Conversation("web", "", who)
    message = InboundMessage(f"k-{text[:20]}", conversation, Identity("web", "", who), (Text(text),))
    said = tuple(Exchange(by, words, "web", datetime.now(UTC)) for by, words in history)  # type: ignore[arg-type]
    return Turn(
        f"t-{who}",
        message,
        Person(1),
        history=said,
        memory=tuple(Remembered(fact) for fact in memory),
        deadline=deadline,
    )


def context(
    question: str,
    *passages: Passage,
    confidence: float = 0.9,
    tools: Toolbox | None = None,
    deadline: float = float("inf"),
    steps: int = 6,
) -> Context:
    """A context whose shelf has these passages."""
    shelf = Shelf()
    shelf.put(passages)
    return Context(question, shelf, confidence, tools or Toolbox(), budget=Budget(deadline, steps))


async def events(stream: AsyncIterator[TurnEvent]) -> list[TurnEvent]:
    """All events of a turn, in order."""
    return [event async for event in stream]


def answer(found: list[TurnEvent]) -> Answer:
    """The answer at the end."""
    assert isinstance(found[-1], Answer), found
    return found[-1]


def shown(found: list[TurnEvent]) -> str:
    """What a person sees growing until the answer comes."""
    text = ""
    for event in found:
        match event:
            case Delta(piece):
                text += piece
            case Restarted():
                text = ""
            case _:
                pass
    return text
