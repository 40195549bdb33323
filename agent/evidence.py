"""Which units of the passages answer a question, by shared words, by headings, by the kind of answer asked for. Pure.

A unit is chosen with what completes it: the sentence that it refers to or that limits it, the list that it leads to,
the items beside it when all are asked for. A question with several parts is answered part by part, each only from a
passage that speaks of what is asked.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from agent import overlap
from agent.engine import Passage
from agent.focus import lacking, unnamed
from agent.question import parts
from agent.sentences import Unit, units

MOST = 320
"""Characters of an answer; a list that answers is not cut for it."""
LISTED = 10
"""Items of a list."""
TERSE = 16
"""Characters of an item that says nothing without its list."""
ABOVE = 0.5
"""What a term in the heading above a unit weighs beside one in the unit."""
PRIOR = 0.2
"""What it weighs to stand in the best passage: the search also knows what is said in other words."""
EXPECTED = 0.12
"""What it weighs to be of the kind that is asked for."""
NEW = 0.3
"""The part of the question that a further unit must bring to be added."""
OTHER = 0.4
"""What it costs to answer quite another question, in a document of questions and answers."""
CLOSE = 0.8
"""A unit beside the best that answers this well beside it is said with it: which of the two is right can't be told."""
SURE = 0.94
LACKS = 0.25
"""A passage that lacks this part of what the question tells speaks of something else, unless it is as sure as this that
it answers: then it says it in other words. Chosen on one half of the questions in tests/data/evaluation.jsonl."""
OWN = 0.5
"""What the words of a follow-up weigh beside those of the question that it hangs on."""
RECORD = re.compile(r"(?:^|!|#)\d+$")
"""The place of a row that a table's reader wrote, "#12" or "sheet!12"."""

KINDS = tuple(
    (re.compile(asked, re.IGNORECASE), re.compile(given, re.IGNORECASE))
    for asked, given in (
        (
            "多少|几[天个日小次点年月号元块折]|多[久长大高重远]|何时|什么时[候间]|哪[天年月日]|时间|价格|费用"
            "|how (?:many|much|long|often|old)|when",
            r"\d|[一二两三四五六七八九十百千万半]+\s*[个天日周月年元块小时分钟折次点%人份]|[零一二三四五六七八九十百千万两]{2,}",
        ),
        ("电话|号码|邮箱|微信|联系|phone|e-?mail|contact|call", r"\d{3,}|@|电话|邮箱|热线"),
        (
            "哪里|哪儿|在哪|地址|位置|什么地方|where|address",
            "[省市区县镇路街号楼层室]|位于|地址|门店| at | in ",
        ),
        ("为什么|为何|原因|怎么会|why", "因为|由于|因此|所以|原因|because|since|due to"),
        ("谁|哪位|什么人|who", "[人员师长家者部]|由|team|by "),
        (
            "能不能|可不可以|能否|是否|可以|能.*吗|支持|can |may |is it|do you|does",
            "可以|不能|不可|不支持|支持|能够|无法|均可|can|may|not ",
        ),
        (
            "怎么|怎样|如何|步骤|流程|办理|how (?:to|do|can)",
            "点击|进入|选择|打开|联系|提交|登录|填写|先|然后|首先|click|open|select|go to",
        ),
    )
)
WHOLE = re.compile(
    "怎么|怎样|如何|步骤|流程|哪些|哪几|有什么|条件|要求|材料|方式|种类|how (?:to|do|can)|which|what are|steps|list",
    re.IGNORECASE,
)
REFERS = re.compile(
    "(?:它|他|她|该|此|这|其|上述|以上|前者|后者|因此|所以|于是|否则|然而|不过|但|此外|另外|同时|并且|而且|例外|"
    "it |this |that |these |they |however|otherwise|therefore|but )",
    re.IGNORECASE,
)
LIMITS = re.compile(
    "(?:但|不过|否则|其中|例外|除外|注意|若|如果|如需|如遇|逾期|超过|超出|特殊"
    "|however|but |otherwise|except|unless|if |note)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """The units of one passage that answer, in their order."""

    passage: Passage
    units: tuple[Unit, ...]


class Page:
    """A passage taken apart: what each unit says, and what stands above it."""

    def __init__(self, passage: Passage, rank: int) -> None:
        self.passage = passage
        self.rank = rank
        self.units = units(passage.text)
        self.terms = [overlap.terms(unit.text) for unit in self.units]
        self.bare = all(unit.kind in ("heading", "question") for unit in self.units)
        """There is nothing below its heading, which then says what there is to say."""
        self.record = bool(RECORD.search(passage.heading))
        """It is one row of a table, whose cells say little without each other."""
        top = overlap.terms(f"{passage.document} {passage.heading} {passage.lead}")
        self.above = [top | above for above in self._above()]
        self.question = list(self._questions())

    def _above(self) -> Iterator[frozenset[str]]:
        heading: frozenset[str] = frozenset()
        lead: frozenset[str] = frozenset()
        for n, unit in enumerate(self.units):
            if unit.kind in ("heading", "question"):
                heading, lead = self.terms[n], frozenset()
            elif unit.kind == "prose":
                lead = frozenset()
            yield heading | lead
            if unit.kind == "lead" or self._header(n):
                lead = self.terms[n]

    def _questions(self) -> Iterator[frozenset[str]]:
        """The question that each unit answers, in a document of questions and answers."""
        question: frozenset[str] = frozenset()
        for n, unit in enumerate(self.units):
            question = (
                self._pairs(n) if unit.kind == "question" else frozenset() if unit.kind == "heading" else question
            )
            yield question

    def _pairs(self, n: int) -> frozenset[str]:
        return frozenset(term for term in overlap.asked(self.units[n].text) if len(term) > 1)

    def _header(self, n: int) -> bool:
        """Whether this is the first row of a table."""
        return self.units[n].kind == "row" and (n == 0 or self.units[n - 1].block != self.units[n].block)

    def answers(self, n: int) -> bool:
        """Whether the unit can be said by itself: no heading, no question, no header of a table that has rows."""
        unit = self.units[n]
        if self.bare:
            return True
        followed = n + 1 < len(self.units) and self.units[n + 1].block == unit.block
        return unit.kind not in ("heading", "question") and not (self._header(n) and followed)

    def block(self, n: int) -> list[int]:
        """The units beside this one, of the same list or table."""
        return [m for m, unit in enumerate(self.units) if unit.block == self.units[n].block and self.answers(m)]

    def around(self, n: int) -> str:
        """The passage with its headings; of a table only this row and its header, since each row is about one thing."""
        passage, unit = self.passage, self.units[n]
        others = [m for m in self.block(n) if m != n] if unit.kind == "row" else []
        told = (each.text for m, each in enumerate(self.units) if m not in others)
        return "\n".join((passage.document, passage.heading, passage.lead, *told))

    def section(self, n: int) -> list[int]:
        """This unit and those after it, until the next heading or question."""
        end = next((m for m in range(n + 1, len(self.units)) if not self.answers(m)), len(self.units))
        return list(range(n, end))

    def top(self, n: int) -> int:
        """The first unit below the heading or the question above this one."""
        return next((m + 1 for m in range(n - 1, -1, -1) if not self.answers(m)), 0)


@dataclass(frozen=True, slots=True)
class Place:
    """One unit of one page, and how well it answers: in all, by itself, and by what its headings do not say already."""

    page: Page
    n: int
    score: float
    own: float
    beyond: float


def evidence(question: str, passages: Sequence[Passage], confidence: float = 1.0, own: str = "") -> list[Evidence]:
    """What answers the question, best passage first; nothing where the best speaks of something else.

    `confidence`: how sure it is that the passages answer, see agent.engine.Found. `own`: the words of the person in a
    question that was put together from theirs and the one before; the passage must speak of these.
    """
    pages = [Page(passage, rank) for rank, passage in enumerate(passages)]
    chosen: dict[int, set[int]] = {}
    for part in [question] if own else parts(question):
        for place in _spoken_of(own or part, _places(part, pages, own), confidence):
            if _size(pages, chosen) < MOST:
                chosen.setdefault(place.page.rank, set()).update(_completed(part, place))
    return [
        Evidence(pages[rank].passage, tuple(pages[rank].units[n] for n in sorted(found)))
        for rank, found in chosen.items()
    ]


def _spoken_of(asked: str, places: Iterator[Place], confidence: float) -> Iterator[Place]:
    """The places, none when the best stands where something else is spoken of."""
    if (best := next(places, None)) is None:
        return
    row = best.page.record or best.page.units[best.n].kind == "row"
    text = best.page.around(best.n)
    if not unnamed(asked, text) and not ((row or confidence < SURE) and lacking(asked, text) >= LACKS):
        yield best
        yield from places


def _size(pages: Sequence[Page], chosen: dict[int, set[int]]) -> int:
    return sum(len(pages[rank].units[n].text) for rank, found in chosen.items() for n in found)


def _places(part: str, pages: Sequence[Page], own: str) -> Iterator[Place]:
    """The best place for this part, and those that bring what it lacks."""
    asked = overlap.asked(part)
    held = [terms | above for page in pages for terms, above in zip(page.terms, page.above, strict=True)]
    weights = overlap.Weights(asked, held)
    more = overlap.Weights(overlap.asked(own), held) if own else None
    ranked = sorted(_scored(part, pages, weights, more), key=lambda place: -place.score)
    if not ranked:
        return
    best, covered = ranked[0], _said(ranked[0])
    yield best
    for place in ranked[1:8]:
        brings = weights.share(_said(place) - covered) >= NEW and place.own >= NEW
        if brings or (place.page is best.page and place.score >= CLOSE * best.score):
            covered |= _said(place)
            yield place


def _said(place: Place) -> frozenset[str]:
    return place.page.terms[place.n] | place.page.above[place.n]


def _scored(
    part: str, pages: Sequence[Page], weights: overlap.Weights, more: overlap.Weights | None
) -> Iterator[Place]:
    expected = [given for asked, given in KINDS if asked.search(part)]
    for page in pages:
        for n, unit in enumerate(page.units):
            if page.answers(n):
                own, beyond = weights.share(page.terms[n]), weights.share(page.terms[n] - page.above[n])
                above = weights.share(page.above[n] - page.terms[n])
                fits = EXPECTED * sum(bool(given.search(unit.text)) for given in expected)
                other = OTHER * _other(page.question[n], weights.known)
                fits += OWN * more.share(page.terms[n]) if more else 0.0
                yield Place(page, n, own + ABOVE * above + fits - other + PRIOR / (1 + page.rank), own - other, beyond)


def _other(question: frozenset[str], asked: frozenset[str]) -> float:
    """The part of a question in the document that was not asked."""
    return 1 - len(question & asked) / len(question) if question else 0.0


def _completed(part: str, place: Place) -> list[int]:
    """The unit with what belongs to it."""
    page, n = place.page, place.n
    kind = page.units[n].kind
    if page.record:
        return list(range(len(page.units)))
    if kind == "lead":
        return page.section(n)[: LISTED + 1]
    if kind == "row":
        return [n]
    if kind == "item":
        return _item(part, place)
    return _sentence(place)


def _item(part: str, place: Place) -> list[int]:
    """One item, or the whole list with the words that lead to it, where all is asked for or none stands out."""
    page, n = place.page, place.n
    if not WHOLE.search(part) and place.own >= NEW and len(page.units[n].text) > TERSE:
        return [n]
    listed = page.block(n)[:LISTED]
    leads = listed[0] and page.units[listed[0] - 1].kind == "lead"
    return [listed[0] - 1, *listed] if leads else listed


def _sentence(place: Place) -> list[int]:
    """A sentence with the one it refers to and those that limit it; where only its heading fits, what is below that."""
    page, n = place.page, place.n
    if place.beyond < NEW / 2:
        return _fitting(page, page.section(page.top(n)))
    first = last = n
    while first and REFERS.match(page.units[first].text) and page.units[first - 1].kind == "prose":
        first -= 1
    following = page.section(n)[1:]
    while following and (LIMITS.match(page.units[following[0]].text) or last - first + len(page.units[n].text) < 8):
        last = following.pop(0)
    return _fitting(page, list(range(first, last + 1)))


def _fitting(page: Page, found: list[int]) -> list[int]:
    """As many as fit, at least one."""
    size, kept = 0, list[int]()
    for n in found:
        size += len(page.units[n].text)
        if kept and size > MOST // 2:
            break
        kept.append(n)
    return kept
