"""The index by word, kept in the same transactions as the passages: SQLite's FTS5, PostgreSQL's table of tokens.

It brings candidates and says how many passages have a token; how good a candidate is, rank.py decides, the same
for both databases. Text is never given to a query language: every token of FTS5 is quoted, and none has a quote.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy import Connection, text

from agent.knowledge import tokens
from memory import prepared

Kind = Literal["words", "characters", "sounds"]
KINDS: tuple[Kind, ...] = ("words", "characters", "sounds")
MOST = 500
"""Tokens of one question that are counted."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A passage's tokens of each kind."""

    words: list[str]
    characters: list[str]
    sounds: list[str]

    @classmethod
    def of(cls, searched: str) -> "Entry":
        """Of the text by which a passage is found."""
        plain = tokens.normal(searched)
        return cls(tokens.words(plain), tokens.characters(plain), tokens.sounds(plain))


class Index(Protocol):
    """All methods are short and run inside a transaction of the caller. Passages are named by their rows."""

    def add(self, connection: Connection, entries: Mapping[int, Entry]) -> None:
        """Puts them in."""
        ...

    def remove(self, connection: Connection, rows: Sequence[int]) -> None:
        """Takes them out."""
        ...

    def find(self, connection: Connection, kind: Kind, wanted: Iterable[str], limit: int) -> list[int]:
        """Rows that have some of these tokens, the best first."""
        ...

    def counts(self, connection: Connection, kind: Kind, wanted: Iterable[str]) -> dict[str, int]:
        """In how many passages each of these tokens stands; those that stand in none are left out."""
        ...


class FullText:
    """SQLite."""

    def add(self, connection: Connection, entries: Mapping[int, Entry]) -> None:
        rows = [(row, " ".join(e.words), " ".join(e.characters), " ".join(e.sounds)) for row, e in entries.items()]
        insert = "INSERT INTO passage_words(rowid, words, characters, sounds) VALUES (?, ?, ?, ?)"
        connection.exec_driver_sql(insert, rows)

    def remove(self, connection: Connection, rows: Sequence[int]) -> None:
        connection.exec_driver_sql("DELETE FROM passage_words WHERE rowid = ?", [(row,) for row in rows])

    def find(self, connection: Connection, kind: Kind, wanted: Iterable[str], limit: int) -> list[int]:
        quoted = " OR ".join(f'"{token}"' for token in dict.fromkeys(wanted))
        if not quoted:
            return []
        query = "SELECT rowid FROM passage_words WHERE passage_words MATCH ? ORDER BY rank LIMIT ?"
        return [int(row) for (row,) in prepared.rows(connection, query, (f"{{{kind}}} : ({quoted})", limit))]

    def counts(self, connection: Connection, kind: Kind, wanted: Iterable[str]) -> dict[str, int]:
        tokens_wanted = tuple(dict.fromkeys(wanted))[:MOST]
        marks = ", ".join("?" * len(tokens_wanted))
        query = f"SELECT term, doc FROM passage_counts WHERE col = ? AND term IN ({marks})"  # noqa: S608 — marks only
        return {str(term): int(doc) for term, doc in prepared.rows(connection, query, (kind, *tokens_wanted))}


class Tokens:
    """PostgreSQL. Its own ranking does not know how rare a word is, so the tokens are counted here."""

    def add(self, connection: Connection, entries: Mapping[int, Entry]) -> None:
        rows = [
            {"kind": number, "token": token, "row": row, "count": count}
            for row, entry in entries.items()
            for number, kind in enumerate((entry.words, entry.characters, entry.sounds))
            for token, count in Counter(kind).items()
        ]
        insert = "INSERT INTO passage_tokens(kind, token, passage_id, count) VALUES (:kind, :token, :row, :count)"
        if rows:
            connection.execute(text(insert), rows)

    def remove(self, connection: Connection, rows: Sequence[int]) -> None:
        query = text("DELETE FROM passage_tokens WHERE passage_id = ANY(:rows)")
        connection.execute(query, {"rows": list(rows)})

    def find(self, connection: Connection, kind: Kind, wanted: Iterable[str], limit: int) -> list[int]:
        query = text(
            "WITH hit AS"
            " (SELECT token, passage_id, count FROM passage_tokens WHERE kind = :kind AND token = ANY(:wanted)),"
            " rare AS (SELECT token, ln(1 + ((SELECT count(*) FROM passages) + 30) / (count(*) + 0.5)) AS weight"
            " FROM hit GROUP BY token)"
            " SELECT hit.passage_id FROM hit JOIN rare USING (token) JOIN passages ON passages.id = hit.passage_id"
            " GROUP BY hit.passage_id, passages.length"
            " ORDER BY sum(weight * count * 2.2 / (count + 1.2 * (0.25 + 0.75 * passages.length /"
            " (SELECT greatest(avg(length), 1) FROM passages)))) DESC, hit.passage_id LIMIT :limit"
        )
        values = {"kind": KINDS.index(kind), "wanted": list(dict.fromkeys(wanted)), "limit": limit}
        return list(connection.execute(query, values).scalars())

    def counts(self, connection: Connection, kind: Kind, wanted: Iterable[str]) -> dict[str, int]:
        query = text(
            "SELECT token, count(*) FROM passage_tokens WHERE kind = :kind AND token = ANY(:wanted) GROUP BY token"
        )
        values = {"kind": KINDS.index(kind), "wanted": list(dict.fromkeys(wanted))[:MOST]}
        return {str(token): int(count) for token, count in connection.execute(query, values)}


def index(dialect: str) -> Index:
    """The one for this database."""
    return FullText() if dialect == "sqlite" else Tokens()
