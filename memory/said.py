"""Older words of a person, found again by what they share with a question: what no pattern of facts.py foresaw.

Only statements, and only their own: in a private conversation those of the person's private conversations, in
a group their own in that group. The newest SEARCHED messages are looked through, without an index: a person
rarely has more, and a substring test costs less than keeping an index of everybody's words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from sqlalchemy import Connection, Integer, bindparam, literal, select

from hub.journal import Stored
from hub.turn import Remembered
from memory import facts, past, patterns, wishes
from memory.inbox import INBOUND
from memory.prepared import Prepared, Row
from memory.sensitive import Policy
from memory.tables import conversations, identities, messages
from memory.until import until

SEARCHED = 500
SHOWN = 4
LOOKED_AT = 12
"""Messages that are read closely: some are questions, some are out of date."""
CHANGED = re.compile(r"[改换搬转升]|现在|以后|新的|新买|不再")
"""Says that something is not as before: what was said of the same earlier is left out."""
LONGEST = 200
"""Characters that are shown of one statement."""

EMPTY = re.compile(
    r"什么|怎么|怎样|多少|哪里|哪儿|哪个|哪天|为什么|是不是|有没有|可不可以|可以|知道|记得|告诉|请问|一下|这儿|那儿|上次|之前|以前|现在"
    r"|昨天|前天|今天|上周|上个?月|[我你您他她它们的了吗呢吧啊呀是在有和跟与这那都也就还要把被给到去说叫谁几哪帮请想个过]|\W"
)
"""What a question holds besides its subject."""
WORDS = re.compile(r"[a-z0-9]{3,}|[\u4e00-\u9fff]+")

_OF_IDENTITY = (
    select(messages.c.id, messages.c.payload, messages.c.received_at)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .where(
        messages.c.identity_id == bindparam("identity"),
        messages.c.id < bindparam("row"),
        messages.c.state.in_([literal(state) for state in ("answered", "recorded")]),
        *[messages.c.engine != engine for engine in past.SILENT],
    )
    .order_by(messages.c.id.desc())
    .limit(bindparam("most", type_=Integer))
)
_PRIVATELY = Prepared(lambda _: _OF_IDENTITY.where(conversations.c.kind == "private"))
_IN_GROUP = Prepared(lambda _: _OF_IDENTITY.where(conversations.c.id == bindparam("place")))
_MINE = Prepared(lambda _: select(identities.c.id).where(identities.c.person_id == bindparam("person")))


@dataclass(frozen=True, slots=True)
class Search:
    """What is looked for: words, or days; the newest `skip` messages are shown to the agent anyway.

    Where no statement has a pair of `terms`, one of `characters` will do: 鞋码 is asked for, of 鞋 was spoken.
    """

    terms: frozenset[str]
    characters: frozenset[str]
    days: tuple[datetime, datetime] | None
    skip: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence that somebody said, what it shares with the question, and the facts in it."""

    text: str
    at: datetime
    shared: frozenset[str]
    facts: frozenset[str]

    @property
    def remembered(self) -> Remembered:
        """With its day, in the hub's time zone."""
        return Remembered(f"{self.text}（{self.at.astimezone():%Y-%m-%d}）", "said")


def search(question: str, *, now: datetime, skip: int) -> Search:
    """What a question looks for."""
    characters = frozenset("".join(term for term in terms(question) if not term.isascii()))
    return Search(terms(question), characters, days(question, now), skip, now)


def terms(text: str) -> frozenset[str]:
    """Pairs of neighbouring characters, characters that stand alone, and Latin words, of what a text is about."""
    found: set[str] = set()
    for word in WORDS.findall(EMPTY.sub(" ", text.lower())):
        found.update([word] if word.isascii() or len(word) == 1 else ["".join(pair) for pair in pairwise(word)])
    return frozenset(found)


DAYS = {"前天": (2, 1), "昨天": (1, 1), "今天": (0, 1), "上周": (13, 14), "上个月": (62, 62), "上月": (62, 62)}
"""How many days ago a time begins, and how many it lasts; weeks and months generously, people are not exact."""


def days(question: str, now: datetime) -> tuple[datetime, datetime] | None:
    """The days that a question names, in the hub's time zone."""
    today = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
    for word, (ago, lasts) in DAYS.items():
        if word in question:
            begin = today - timedelta(days=ago)
            return begin, begin + timedelta(days=lasts)
    return None


def older(
    connection: Connection, stored: Stored, wanted: Search, told: Sequence[facts.Told], policy: Policy
) -> tuple[list[facts.Told], tuple[Remembered, ...]]:
    """The facts without those that a later statement ended, and the statements that fit best, newer before older."""
    if not wanted.terms and not wanted.days:
        return list(told), ()
    rows = _rows(connection, stored, wanted.skip)
    lowered = [row.payload.lower() for row in rows]
    if not any(term in payload for payload in lowered for term in wanted.terms):
        wanted = replace(wanted, terms=wanted.characters)
    hits = [(row, {term for term in wanted.terms if term in text}) for row, text in zip(rows, lowered, strict=True)]
    often = {term: sum(term in shared for _, shared in hits) for term in wanted.terms}
    weighed = [
        (sum(1 / often[term] for term in shared) + _on(row.received_at, wanted.days), row) for row, shared in hits
    ]
    best = sorted((pair for pair in weighed if pair[0]), key=lambda pair: (pair[0], pair[1].id), reverse=True)
    found = _statements([row for _, row in best[:LOOKED_AT]], wanted, told, policy)
    banned = wishes.bans(connection, stored.person.id)
    found = [one for one in found if not wishes.unwanted(patterns.Fact("note", "", one.text, one.text), banned)]
    if wanted.days:  # what was said then is asked for, whether it still holds or not
        return list(told), tuple(one.remembered for one in found[:SHOWN])
    changes = [one for one in found if CHANGED.search(one.text)]
    hold = [one for one in told if not (one.single and _ended(one.said_at, _shared(one.fact.text, wanted), changes))]
    texts = {one.fact.text for one in hold}
    left = [one for one in found if one.facts & texts or not _ended(one.at, one.shared, changes)]
    return hold, tuple(one.remembered for one in left[:SHOWN])


def _shared(text: str, wanted: Search) -> frozenset[str]:
    return frozenset(term for term in wanted.terms if term in text.lower())


def _ended(at: datetime, shared: frozenset[str], changes: Sequence["Statement"]) -> bool:
    """Whether somebody said later that it changed: in words that share as much with the question."""
    return bool(shared) and any(at < change.at and shared <= change.shared for change in changes)


def _rows(connection: Connection, stored: Stored, skip: int) -> list[Row]:
    """The person's own messages here, newest first, without those that are shown anyway."""
    group = stored.message.conversation.kind == "group"
    query, past_shown = (_IN_GROUP, 0) if group else (_PRIVATELY, skip)
    values = {"row": stored.id, "place": stored.place, "most": SEARCHED + past_shown}
    mine = _MINE.all(connection, {"person": stored.person.id})
    rows = [row for one in mine for row in query.all(connection, {**values, "identity": one.id})]
    return sorted(rows, key=lambda row: row.id, reverse=True)[past_shown : SEARCHED + past_shown]


def _on(at: datetime, days: tuple[datetime, datetime] | None) -> float:
    return 1.0 if days and days[0] <= at < days[1] else 0.0


def _statements(rows: Sequence[Row], wanted: Search, told: Sequence[facts.Told], policy: Policy) -> list["Statement"]:
    found: dict[str, Statement] = {}
    for row in rows:
        in_time = _on(row.received_at, wanted.days) > 0
        for sentence in patterns.statements(INBOUND.validate_json(row.payload).text):
            said = policy.kept(sentence[:LONGEST])
            if said is None or said in found or not _holds(said, row.received_at, told, policy):
                continue
            _, end = until(said, row.received_at)
            if end and end <= wanted.now and not in_time:
                continue
            shared = _shared(said, wanted)
            if in_time or shared:
                known = frozenset(fact.text for fact in patterns.found(said, row.received_at))
                found[said] = Statement(said, row.received_at, shared, known)
    return list(found.values())


def _holds(sentence: str, at: datetime, told: Sequence[facts.Told], policy: Policy) -> bool:
    """Whether none of its facts was replaced since, and nothing that it speaks of was corrected later."""
    hold = {one.fact.text for one in told}
    corrected = [one for one in told if patterns.CORRECTED in one.fact.text and one.said_at > at]
    names = [(one.fact.key.partition(":")[2], one.fact.value) for one in corrected]
    if any(name and name in sentence and value not in sentence for name, value in names):
        return False
    return all(policy.kept(fact.text) in hold for fact in patterns.found(sentence, at) if fact.text)
