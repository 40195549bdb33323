"""What a person, or an operator for them, wishes of the facts: pinned ones, and those that are not to be kept.

A ban names a key of facts ("address"), one value of a key, or a word. It deletes what fits it, keeps it from being
learned again, and hides what linked identities told of it, until it is lifted.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, delete, insert, select, update

from memory.patterns import Fact
from memory.prepared import Prepared
from memory.tables import bans as table
from memory.tables import facts, identities, summaries

WORD = "word"
"""The key of a ban on a word."""
NAMES = {
    "name": ("名字", "姓名", "name"),
    "mobile": ("手机", "手机号", "手机号码", "电话", "电话号码", "号码", "phone", "mobile"),
    "email": ("邮箱", "邮件", "邮箱地址", "email"),
    "address": ("地址", "收货地址", "家庭地址", "address"),
    "city": ("城市", "住址", "住在哪里", "住哪里", "city"),
    "job": ("工作", "职业", "job"),
    "allergy": ("过敏", "allergy"),
    "taste": ("喜好", "口味", "偏好", "taste"),
    "order": ("订单", "订单号", "order"),
    "product": ("买过什么", "购买记录", "purchases"),
}
"""How people call the keys."""
SENTENCE = re.compile(r"[^。！？!?；;\n]*[。！？!?；;\n]?")
_KEYS = {name: key for key, names in NAMES.items() for name in names}


@dataclass(frozen=True, slots=True)
class Ban:
    """What is not kept; an empty value stands for every value of the key."""

    key: str
    value: str = ""

    @property
    def name(self) -> str:
        """As a person calls it."""
        return self.value or NAMES.get(self.key, (self.key.removeprefix("of mine:"),))[0]


def ban(words: str) -> Ban:
    """What somebody means who does not want this kept."""
    what = words.strip().strip("「」\"'“”。，,")
    key = _KEYS.get(what.lower())
    return Ban(key) if key else Ban(WORD, what)


def ban_of(fact: Fact, *, single: bool) -> Ban:
    """The ban on a fact that was shown: of a key with one value on all of it."""
    return Ban(fact.key) if single else Ban(fact.key, fact.value)


def unwanted(fact: Fact, unwanted: Sequence[Ban]) -> bool:
    """Whether a ban fits the fact."""
    said = f"{fact.key} {fact.value} {fact.text}"
    return any(
        one.value in said if one.key == WORD else one.key == fact.key and one.value in ("", fact.value)
        for one in unwanted
    )


def without(text: str, unwanted: Sequence[Ban]) -> str:
    """The text without the sentences that a ban on a word or a value fits."""
    words = [one.value for one in unwanted if one.value]
    return "".join(part for part in SENTENCE.findall(text) if not any(word in part for word in words)).strip()


_BANS = Prepared(
    lambda _: (
        select(table.c.key, table.c.value, table.c.place)
        .join(identities, identities.c.id == table.c.identity_id)
        .where(identities.c.person_id == bindparam("person"))
        .order_by(table.c.id)
    )
)


def bans(connection: Connection, person: int) -> list[Ban]:
    """All that hold for this person, wherever they were made."""
    return [Ban(row.key, row.value) for row in _BANS.all(connection, {"person": person})]


def shown(connection: Connection, person: int, place: str) -> list[Ban]:
    """Those that were made in such a place: a private one is no matter for a group."""
    rows = _BANS.all(connection, {"person": person})
    return list(dict.fromkeys(Ban(row.key, row.value) for row in rows if row.place == place))


def forbid(
    connection: Connection, identity: int, person: int, wish: Ban, *, place: str, by: str, now: datetime
) -> None:
    """Keeps it from now on from being remembered, and forgets what is."""
    connection.execute(
        insert(table).values(identity_id=identity, place=place, key=wish.key, value=wish.value, by=by, made_at=now)
    )
    mine = _identities(person)
    rows = connection.execute(select(facts).where(facts.c.identity_id.in_(mine)))
    fitting = [row.id for row in rows if unwanted(Fact(row.kind, row.key, row.value, row.text), [wish])]
    connection.execute(delete(facts).where(facts.c.id.in_(fitting)))
    connection.execute(update(summaries).where(summaries.c.identity_id.in_(mine)).values(text="", since=None))


def allow(connection: Connection, person: int, wish: Ban | None) -> int:
    """Lifts the ban, or all of them; how many there were."""
    fits = [] if wish is None else [table.c.key == wish.key, table.c.value == wish.value]
    return connection.execute(delete(table).where(table.c.identity_id.in_(_identities(person)), *fits)).rowcount


def pin(connection: Connection, person: int, fact: Fact, *, single: bool, pinned: bool) -> None:
    """The agent is told it whatever is asked; a newer value takes over the pin."""
    same = [facts.c.key == fact.key] if single else [facts.c.key == fact.key, facts.c.value == fact.value]
    connection.execute(update(facts).where(facts.c.identity_id.in_(_identities(person)), *same).values(pinned=pinned))


def _identities(person: int) -> Select[tuple[int]]:
    return select(identities.c.id).where(identities.c.person_id == person)
