"""An approved answer, and which approved questions another one is close to. Pure.

Only the same words are answered: in one trade nearly the same words mean different things (花呗怎么分期,
花呗怎么清空), and no measure of likeness tells them apart. So what is close is offered, and the person says whether
that was meant.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from agent import overlap
from agent.cite import QUOTE, marks
from agent.knowledge import tokens
from agent.question import normal
from hub.message import Citation
from hub.turn import Answer

ENGINE = "approved"
CLOSE = 0.5
"""From this likeness on a question is offered."""
MOST = 3
"""Questions that are offered at once."""


@dataclass(frozen=True, slots=True)
class Approved:
    """A question and its answer. `source` names where the answer stands ("" = nowhere), `url` leads there."""

    question: str
    answer: str
    source: str = ""
    url: str = ""

    @property
    def normal(self) -> str:
        """The question without what makes no difference; two approved questions differ in it."""
        return normal(self.question)

    def said(self) -> Answer:
        """What the person reads, with the source."""
        if not self.source:
            return Answer(self.answer, engine=ENGINE)
        citation = Citation("1", self.source, self.url, self.answer[:QUOTE].strip())
        return Answer(self.answer + marks(self.answer, 1), (citation,), engine=ENGINE)


@dataclass(frozen=True)
class Known:
    """All approved answers, ready to be looked up."""

    answers: Sequence[Approved] = ()
    _by_normal: dict[str, Approved] = field(init=False)
    _heard: list[tuple[Approved, "_Heard"]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_normal", {one.normal: one for one in self.answers})
        object.__setattr__(self, "_heard", [(one, _heard(one.question)) for one in self.answers])

    def find(self, question: str) -> Approved | None:
        """The answer to this very question."""
        return self._by_normal.get(normal(question))

    def near(self, question: str) -> list[Approved]:
        """Those whose question is close to this one, the closest first; of questions with one answer, the first."""
        if not self.answers:
            return []
        asked = _heard(question)
        likely = [(max(map(_likeness, asked, heard)), one) for one, heard in self._heard]
        close = sorted((item for item in likely if item[0] >= CLOSE), key=lambda item: -item[0])
        return list({one.answer: one for _, one in reversed(close)}.values())[::-1][:MOST]


_Heard = tuple[frozenset[str], frozenset[str]]
"""What a question says and how it sounds, in pairs."""


def _heard(question: str) -> _Heard:
    plain = tokens.normal(question)
    return (
        frozenset(term for term in overlap.asked(question) if len(term) > 1),
        frozenset(tokens.sounds(tokens.telling(plain)) or tokens.sounds(plain)),
    )


def _likeness(one: Iterable[str], other: frozenset[str]) -> float:
    """The part that two questions share of what both say, between 0 and 1."""
    mine = frozenset(one)
    return 2 * len(mine & other) / ((len(mine) + len(other)) or 1)
