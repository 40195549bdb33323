"""What came of a question, and the figures of many. Pure.

A share is None where nothing can be counted.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles

from agent.cite import MARK
from agent.engine import Passage
from agent.evaluation.cases import Case
from agent.grounds import statements, supported
from agent.knowledge import tokens
from hub.message import Citation
from hub.turn import Answer, ToolUsed


@dataclass(frozen=True)
class Outcome:
    """One question with its answer. `shown` are all passages that were found for it; `seconds` to the whole answer.

    `cost` is in the money of the settings, None where they name no price.
    """

    case: Case
    answer: Answer
    shown: tuple[Passage, ...] = ()
    tools: tuple[ToolUsed, ...] = ()
    seconds: float = 0.0
    cost: float | None = None

    @property
    def answered(self) -> bool:
        """Whether anything was said to the question, right or wrong."""
        return not self.answer.refused and self.answer.engine != "none"

    @property
    def correct(self) -> bool:
        """Whether the answer holds all that a right one holds."""
        said = _plain(self.answer.text)
        return self.answered and all(_plain(fact) in said for fact in self.case.facts)

    @property
    def recalled(self) -> bool:
        """Whether every document that a right answer names was found."""
        return all(any(named(wanted, passage) for passage in self.shown) for wanted in self.case.sources)

    @property
    def cited(self) -> list[bool]:
        """Of each citation whether it leads to a document that a right answer names, and quotes what stands there.

        Nothing where it is not said which documents those are.
        """
        judged = self.answered and (self.case.sources or self.case.unknown)
        return [self._right(citation) for citation in self.answer.citations] if judged else []

    def _right(self, citation: Citation) -> bool:
        held = [passage for passage in self.shown if citation.quote in passage.text]
        return any(named(wanted, passage) for passage in held for wanted in self.case.sources)

    @property
    def grounded(self) -> list[bool]:
        """Of each statement with a mark whether what it cites bears it out; what a tool brought is not looked at."""
        if not self.answered:
            return []
        quoted = {citation.label: citation for citation in self.answer.citations}
        found = []
        for statement in statements(self.answer.text):
            marks = statement.own or statement.shared
            held = [p for mark in marks if (c := quoted.get(str(mark))) for p in self.shown if c.quote in p.text]
            brought = self.tools and not held
            if marks and not brought and MARK.sub("", statement.text).strip():
                found.append(supported(statement.text, held, self.case.question))
        return found

    @property
    def used(self) -> bool:
        """Whether every tool was used that a right answer uses, and worked."""
        return set(self.case.tools) <= {tool.name for tool in self.tools if tool.outcome in ("ok", "pending")}

    @property
    def wrong(self) -> str:
        """What is wrong with the answer, "" when nothing is."""
        if self.case.unknown:
            return "answered, though the knowledge does not hold it" if self.answered else ""
        if not self.answered:
            return "not answered"
        if not self.used:
            return "a tool was not used"
        return "" if self.correct else "lacks what a right answer holds"


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of many questions.

    `recall`, `answered`, `correct`: of the questions that can be answered, those whose documents were found, that were
    answered, whose answer holds the facts. `citations`: of all citations of answers those that lead to the right
    document. `grounded`: of all statements with a mark, those that their sources bear out. `refused`: of what the
    knowledge does not hold, what was said not to be known. `tools`: of the questions for tools, those whose were used.
    """

    questions: int
    recall: float | None
    answered: float | None
    correct: float | None
    citations: float | None
    grounded: float | None
    refused: float | None
    tools: float | None
    seconds: float
    """Median."""
    slow_seconds: float
    """One in twenty takes longer."""
    input_tokens: int
    output_tokens: int
    cost: float | None
    """Of all questions, in the money of the settings; None where they name no price."""
    engines: Mapping[str, int]
    """Answers by the engine that spoke."""


def figures(outcomes: Sequence[Outcome]) -> Figures:
    """The figures of these."""
    held = [one for one in outcomes if not one.case.unknown]
    times = [one.seconds for one in outcomes]
    return Figures(
        len(outcomes),
        recall=_share(one.recalled for one in held if one.case.sources),
        answered=_share(one.answered for one in held),
        correct=_share(one.correct for one in held),
        citations=_share(right for one in outcomes for right in one.cited),
        grounded=_share(borne for one in outcomes for borne in one.grounded),
        refused=_share(not one.answered for one in outcomes if one.case.unknown),
        tools=_share(one.used for one in held if one.case.tools),
        seconds=median(times) if times else 0.0,
        slow_seconds=quantiles(times, n=20)[-1] if len(times) > 1 else sum(times),
        input_tokens=sum(one.answer.usage.input_tokens for one in outcomes),
        output_tokens=sum(one.answer.usage.output_tokens for one in outcomes),
        cost=_sum(one.cost for one in outcomes),
        engines=dict(Counter(one.answer.engine for one in outcomes)),
    )


def told_apart(outcomes: Sequence[Outcome], by: Callable[[Case], str]) -> dict[str, Figures]:
    """The figures of each part or kind that has a name."""
    names = dict.fromkeys(name for one in outcomes if (name := by(one.case)))
    return {name: figures([one for one in outcomes if by(one.case) == name]) for name in names}


def report(outcomes: Sequence[Outcome]) -> dict[str, object]:
    """All of it, to be written as JSON."""
    return {
        "figures": asdict(figures(outcomes)),
        "parts": {name: asdict(one) for name, one in told_apart(outcomes, lambda case: case.part).items()},
        "kinds": {name: asdict(one) for name, one in told_apart(outcomes, lambda case: case.kind).items()},
        "questions": [_told(one) for one in outcomes],
    }


def _told(one: Outcome) -> dict[str, object]:
    return {
        "question": one.case.question,
        "answer": one.answer.text,
        "citations": [asdict(citation) for citation in one.answer.citations],
        "engine": one.answer.engine,
        "refused": one.answer.refused,
        "confidence": one.answer.confidence,
        "seconds": round(one.seconds, 3),
        "input_tokens": one.answer.usage.input_tokens,
        "output_tokens": one.answer.usage.output_tokens,
        "cost": one.cost,
        "wrong": one.wrong,
    }


def named(wanted: str, passage: Passage) -> bool:
    """Whether this is how somebody would name the document of a passage."""
    file = Path(passage.source)
    return wanted in (file.stem, file.name, passage.document, passage.source, passage.url)


def _share(found: Iterable[bool]) -> float | None:
    counted = list(found)
    return sum(counted) / len(counted) if counted else None


def _sum(costs: Iterable[float | None]) -> float | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None


def _plain(text: str) -> str:
    return "".join(MARK.sub("", tokens.normal(text)).split())
