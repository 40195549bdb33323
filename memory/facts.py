"""What a person told us about themselves: found by plain patterns, kept with its origin, read by relevance.

A fact is an observation: who said it, in which message, when. What holds now is worked out when it is read
(of a key that has one value the newest), never by changing older rows, so that parting two people gives
each side back exactly what was its own. Facts come only from a person's own words, never from documents,
tools or the agent.

Where a fact was told decides where it may surface: one from a private conversation only in private ones,
one from a group only in that group.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, bindparam, insert, or_, select

from hub.turn import Remembered
from memory import sensitive
from memory.prepared import Prepared
from memory.tables import facts, identities

Kind = Literal["profile", "contact", "preference", "need", "note"]

MOST_CHARACTERS = 120
"""A longer "fact" is a story; it is in the history."""
TOLD = 12
"""Facts that the agent is told at most."""
PRIVATE = "private"

CORRECTED = "改为"
"""Stands in the text of a fact that corrects what was said before, in whatever words that was."""

END = r"(?=$|[，。！？!?,;；\n]|、?(?:然后|而且|另外|所以|但))"
SINGLE = frozenset({"name", "mobile", "email", "address", "city", "age", "job", "company", "birthday"})
"""Keys that have one value at a time."""


@dataclass(frozen=True, slots=True)
class Fact:
    """A proposal: `key` groups facts that replace one another, `value` is what was said, `text` the sentence for it."""

    kind: Kind
    key: str
    value: str
    text: str
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """A stored fact."""

    id: int
    fact: Fact
    channel: str
    said_at: datetime
    pinned: bool

    @property
    def single(self) -> bool:
        """Whether a newer value takes its place."""
        return _single(self.fact.key)


def _single(key: str) -> bool:
    return key in SINGLE or key.startswith("of mine:")


@dataclass(frozen=True, slots=True)
class Pattern:
    """A way to tell something: the group `v` is the value, `k` its name where it has one."""

    kind: Kind
    key: str
    said: re.Pattern[str]
    text: str
    lasts: timedelta | None = None


def _pattern(kind: Kind, key: str, said: str, text: str, lasts: timedelta | None = None) -> Pattern:
    return Pattern(kind, key, re.compile(said, re.IGNORECASE), text, lasts)


NAME = r"[\u4e00-\u9fff·]{1,8}|[A-Za-z][A-Za-z .'-]{0,30}"
ATTRIBUTES = "鞋码|尺码|身高|体重|腰围|预算|生日|(?:发票)?抬头|会员(?:卡|编)?号|车牌号?|套餐|学号|工号"
"""What people tell of themselves without saying that it is theirs."""
PATTERNS = (
    _pattern(
        "profile", "name", rf"(?:我的名字(?:是|叫)|我叫|叫我)(?:做)?(?P<v>{NAME}?)(?:就(?:行|好)|吧)?{END}", "名字：{v}"
    ),
    _pattern("profile", "name", rf"\bmy name is (?P<v>[A-Za-z][A-Za-z'-]*(?: [A-Z][A-Za-z'-]*)?){END}", "name: {v}"),
    _pattern("contact", "mobile", r"(?<!\d)(?P<v>1[3-9]\d{9})(?!\d)", "手机号：{v}"),
    _pattern("contact", "email", r"(?P<v>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})", "邮箱：{v}"),
    _pattern(
        "contact",
        "address",
        rf"(?:(?:收货|家庭|公司)?地址(?:是|写|填|改(?:成|为)|换成)?[:：]?)(?P<v>.{{4,80}}?){END}",
        "地址：{v}",
    ),
    _pattern(
        "contact",
        "city",
        rf"(?:我|现在)(?:现在)?(?:住在?|搬到了?|人在)(?P<v>[\u4e00-\u9fff]{{2,30}}?)了?{END}",
        "住在{v}",
    ),
    _pattern(
        "profile",
        "job",
        rf"(?:我的(?:工作|职业)是|(?:我|现在)是做|现在做|我在做(?=.{{2,12}}(?:的|这一?行)))"
        rf"(?P<v>[\u4e00-\u9fffA-Za-z]{{2,12}}?)(?:的|这一?行)?{END}",
        "做{v}工作",
    ),
    _pattern("preference", "allergy", r"(?:我)?对(?P<v>[\u4e00-\u9fffA-Za-z、和]{1,20}?)过敏", "对{v}过敏"),
    _pattern(
        "preference",
        "like",
        rf"我(?:最|很|比较|更|一直|只)?(?P<k>喜欢|爱吃|爱喝|偏好|习惯用|想要)(?!的)(?P<v>[^，。！？!?,；;\n]{{1,40}}?){END}",
        "{k}{v}",
    ),
    _pattern(
        "preference",
        "dislike",
        rf"我(?:最|很|比较)?(?P<k>不喜欢|讨厌|不吃|不喝|不要)(?P<v>[^，。！？!?,；;\n]{{1,40}}?){END}",
        "{k}{v}",
    ),
    _pattern(
        "preference", "rule", rf"(?:我只|以后(?:都|请)?|今后)(?P<v>[^，。！？!?,；;\n]{{2,40}}?){END}", "要求：{v}"
    ),
    _pattern(
        "need",
        "product",
        rf"我(?:上个?月|昨天|前天|上周|今天|刚)?(?:买|购买|订|下单)了(?P<v>[^，。！？!?,；;\n]{{2,40}}?){END}",
        "买了{v}",
        timedelta(days=365),
    ),
    _pattern(
        "need",
        "order",
        r"订单(?:号|编号)?(?:是|为)?[:：]?\s*(?P<v>[A-Za-z]{0,4}-?\d{6,24})",
        "订单号：{v}",
        timedelta(days=365),
    ),
    _pattern("note", "note", rf"(?:请|帮我)?(?:记住|记下|记得)[:：，,]?(?P<v>[^。！？!?\n]{{2,80}}?){END}", "{v}"),
    _pattern(
        "note",
        "of mine",
        rf"(?:我家?的?)?(?P<k>[\u4e00-\u9fff]{{1,8}}?)(?:[改换加][成为到]|应该是)了?(?P<v>[^，。！？!?,；;\n]{{1,40}}?)[了吧]?{END}",
        "{k}" + CORRECTED + "{v}",
    ),
    _pattern(
        "note",
        "of mine",
        rf"我(?:家)?的?(?P<k>[\u4e00-\u9fff]{{1,12}}?)(?P<is>是|叫做?)(?P<v>[^，。！？!?,；;\n]{{1,40}}?){END}",
        "{k}{is}{v}",
    ),
    _pattern(
        "note",
        "of mine",
        rf"(?<!的)(?P<k>{ATTRIBUTES})(?:是|为|要|开|[:：]|(?=[A-Z]*\d))(?P<v>[^，。！？!?,；;\n]{{1,40}}?){END}",
        "{k}：{v}",
    ),
)
ASKED = re.compile(
    r"[?？]\s*$|吗\s*[?？]?\s*$|^(?:我的?.{0,12}(?:叫什么|是什么|是多少|是谁|是哪))|什么|哪(?:里|儿|个|天)|多少|(?<![过好十这那前])几|^(?:如果|假如|要是|万一)"
)
SENTENCE = re.compile(r"[^。！？!?\n]+[。！？!?]?")
CLAUSE = re.compile(r"[^，,；;]+[，,；;]?")


def found(text: str) -> list[Fact]:
    """The facts in somebody's own words. A question tells none."""
    proposals: dict[str, Fact] = {}
    for told in statements(text):
        for pattern in PATTERNS:
            for match in pattern.said.finditer(told):
                fact = _fact(pattern, match)
                if fact and not any(fact.value in known.value for known in proposals.values()):
                    proposals[fact.text] = fact
    return list(proposals.values())


def statements(text: str) -> list[str]:
    """The sentences, each without the parts between commas that ask or suppose something."""
    told = []
    for sentence in SENTENCE.findall(text):
        clauses = [clause for clause in CLAUSE.findall(sentence) if not ASKED.search(clause.strip("，,；; "))]
        told.append("".join(clauses).strip("，,；; "))
    return [sentence for sentence in told if sentence]


def _fact(pattern: Pattern, match: re.Match[str]) -> Fact | None:
    groups = {name: (value or "").strip() for name, value in match.groupdict().items()}
    value = groups.get("v", "")
    if not value or len(value) > MOST_CHARACTERS:
        return None
    key = f"{pattern.key}:{groups['k']}" if "k" in groups else pattern.key
    return Fact(pattern.kind, key, value, pattern.text.format(**groups), pattern.lasts)


def keep(
    connection: Connection,
    identity: int,
    message: int,
    place: str,
    proposals: Iterable[Fact],
    *,
    now: datetime,
    policy: sensitive.Policy,
) -> int:
    """Stores facts with their origin; what the policy forbids is masked or left out. Returns how many were kept."""
    count = 0
    for fact in proposals:
        value, text = policy.kept(fact.value), policy.kept(fact.text)
        if value is None or text is None:
            continue
        connection.execute(
            insert(facts).values(
                identity_id=identity,
                message_id=message,
                place=place,
                kind=fact.kind,
                key=fact.key,
                value=value,
                text=text,
                said_at=now,
                expires_at=now + fact.lasts if fact.lasts else None,
            )
        )
        count += 1
    return count


_OF = Prepared(
    lambda _: (
        select(facts, identities.c.channel)
        .join(identities, identities.c.id == facts.c.identity_id)
        .where(
            identities.c.person_id == bindparam("person"),
            facts.c.place == bindparam("place"),
            or_(facts.c.expires_at.is_(None), facts.c.expires_at > bindparam("now")),
        )
        .order_by(facts.c.said_at.desc(), facts.c.id.desc())
    )
)


def of(connection: Connection, person: int, place: str, *, now: datetime) -> list[Told]:
    """What holds now of this person in such a place, newest first."""
    told, seen = [], set()
    for row in _OF.all(connection, {"person": person, "place": place, "now": now}):
        mark = row.key if _single(row.key) else f"{row.key} {row.value}"
        if mark in seen:
            continue
        seen.add(mark)
        fact = Fact(row.kind, row.key, row.value, row.text)
        told.append(Told(row.id, fact, row.channel, row.said_at, row.pinned))
    return told


def relevant(told: Sequence[Told], question: str, *, most: int = TOLD) -> tuple[Remembered, ...]:
    """Pinned facts, then those that share characters with the question, then the newest."""
    asked = _pairs(question)

    def weight(item: tuple[int, Told]) -> tuple[bool, int, int]:
        place, one = item
        return one.pinned, len(asked & _pairs(one.fact.text)), -place

    ranked = sorted(enumerate(told), key=weight, reverse=True)
    return tuple(Remembered(one.fact.text, one.fact.kind) for _, one in ranked[:most])


def _pairs(text: str) -> set[str]:
    bare = re.sub(r"\W", "", text.lower())
    return {bare[n : n + 2] for n in range(len(bare) - 1)}
