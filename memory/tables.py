"""The tables. Everything that a person said or was told is found by their identities, so that it can be erased."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

metadata = MetaData()

INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
"""The insert that knows ON CONFLICT, by dialect."""

Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is called INTEGER."""


class Moment(TypeDecorator[datetime]):
    """An aware datetime, kept as seconds since 1970 in UTC: the same in both databases, and quick to compare."""

    impl = Float
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> float | None:
        return None if value is None else value.timestamp()

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromtimestamp(value, UTC)

    def coerce_compared_value(self, op: Any, value: Any) -> "Moment":
        return self


persons = Table(
    "persons",
    metadata,
    Column("id", Id, primary_key=True),
    Column("language", Text, nullable=False, server_default="zh"),
    Column("created_at", Moment, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("id", Id, primary_key=True),
    Column("person_id", ForeignKey("persons.id"), nullable=False, index=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    UniqueConstraint("channel", "account", "user"),
)

evidence = Table(
    "evidence",
    metadata,
    Column("id", Id, primary_key=True),
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), nullable=False),
    Column("kind", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("first_seen_at", Moment, nullable=False),
    UniqueConstraint("identity_id", "kind", "value"),
    Index("evidence_by_value", "kind", "value"),
)

conversations = Table(
    "conversations",
    metadata,
    Column("id", Id, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("last_event", Integer, nullable=False),
    Column("handed", Text, nullable=False, server_default=""),
    Column("handed_at", Moment),
    UniqueConstraint("channel", "account", "key"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("identity_id", ForeignKey("identities.id"), nullable=False),
    Column("channel", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("event", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("received_at", Moment, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("live", Text, nullable=False, server_default=""),
    Column("engine", Text, nullable=False, server_default=""),
    Column("refused", Boolean, nullable=False, server_default="0"),
    Column("model", Text, nullable=False, server_default=""),
    Column("input_tokens", Integer, nullable=False, server_default="0"),
    Column("output_tokens", Integer, nullable=False, server_default="0"),
    Column("answered_at", Moment),
    UniqueConstraint("channel", "account", "key"),
    Index("messages_by_event", "conversation_id", "event"),
    Index("messages_by_identity", "identity_id", "id"),
)
IS_OPEN = messages.c.state == literal_column("'open'")
"""Spelled out: a partial index is not used where its condition has parameters."""
Index("messages_open", messages.c.conversation_id, messages.c.event, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)

parts = Table(
    "parts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", ForeignKey("messages.id"), index=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("identity_id", ForeignKey("identities.id"), nullable=False, index=True),
    Column("event", Integer, nullable=False),
    Column("first", Boolean, nullable=False),
    Column("last", Boolean, nullable=False),
    Column("text", Text, nullable=False),
    Column("citations", JSON, nullable=False),
    Column("choices", JSON, nullable=False),
    Column("state", Text, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("not_before", Moment),
    Column("receipt", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Column("stored_at", Moment, nullable=False),
    Column("marked_at", Moment),
    Index("parts_by_event", "conversation_id", "event"),
)
IS_UNSENT = parts.c.state.in_(
    [literal_column(f"'{state}'") for state in ("waiting", "sending", "claimed", "unknown", "kept")]
)
Index("parts_unsent", parts.c.conversation_id, parts.c.event, sqlite_where=IS_UNSENT, postgresql_where=IS_UNSENT)

files = Table(
    "files",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", ForeignKey("messages.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("kept_at", Moment, nullable=False, index=True),
    UniqueConstraint("message_id", "number"),
    Index("files_by_place", "conversation_id", "identity_id", "id"),
)
"""What stands in the files that people sent, for the questions that follow them in the same conversation."""

notes = Table(
    "notes",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)

tool_calls = Table(
    "tool_calls",
    metadata,
    Column("id", Id, primary_key=True),
    Column("message_id", ForeignKey("messages.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("result", Text, nullable=False, server_default=""),
    Column("called_at", Moment, nullable=False),
    UniqueConstraint("message_id", "number"),
)

confirmations = Table(
    "confirmations",
    metadata,
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True),
    Column("conversation_id", ForeignKey("conversations.id"), primary_key=True),
    Column("message_id", ForeignKey("messages.id"), nullable=False, index=True),
    Column("tool", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("asked_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    Column("answer", Text, nullable=False, server_default=""),
    Column("answered_by", Id),
)
"""What somebody is asked before a tool acts: one question for each of them in each conversation."""

knowledge = Table(
    "knowledge",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", BigInteger, nullable=False),
    Column("identity", Text, nullable=False),
    Column("tokens", Text, nullable=False),
)
"""One row: grows with every change, names this knowledge for a shared store of vectors, says how tokens were made."""

documents = Table(
    "documents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("source", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("digest", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("modified", Float, nullable=False),
    Column("watched", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("read_at", Moment, nullable=False),
)

passages = Table(
    "passages",
    metadata,
    Column("id", Id, primary_key=True),
    Column("document_id", ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("key", Text, nullable=False, index=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
    Column("headings", JSON, nullable=False),
    Column("anchor", Text, nullable=False),
    Column("lead", Text, nullable=False),
    Column("length", Integer, nullable=False),
    Index("passages_by_document", "document_id", "generation"),
)
"""Only those of the document's own generation are found; others are on their way in or out."""

approved = Table(
    "approved",
    metadata,
    Column("id", Id, primary_key=True),
    Column("normal", Text, nullable=False, unique=True),
    Column("question", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("approved_at", Moment, nullable=False),
)
"""One row a question that has an approved answer. `normal` is the question without what makes no difference."""

# -- people: joining, facts, audit

link_codes = Table(
    "link_codes",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("conversation_id", ForeignKey("conversations.id"), nullable=False),
    Column("expires_at", Moment, nullable=False),
)

link_tries = Table(
    "link_tries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), nullable=False),
    Column("tried_at", Moment, nullable=False),
    Index("link_tries_by_identity", "identity_id", "tried_at"),
)

joins = Table(
    "joins",
    metadata,
    Column("id", Id, primary_key=True),
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("from_person", Id, nullable=False),
    Column("to_person", Id, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("joined_at", Moment, nullable=False),
    Column("parted_at", Moment),
)

facts = Table(
    "facts",
    metadata,
    Column("id", Id, primary_key=True),
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("message_id", ForeignKey("messages.id"), nullable=False, index=True),
    Column("place", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("said_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Column("pinned", Boolean, nullable=False, server_default="0"),
)

bans = Table(
    "bans",
    metadata,
    Column("id", Id, primary_key=True),
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("place", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("value", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("made_at", Moment, nullable=False),
)
"""What is not to be kept as a fact; see memory/wishes.py."""

summaries = Table(
    "summaries",
    metadata,
    Column("id", Id, primary_key=True),
    Column("identity_id", ForeignKey("identities.id", ondelete="CASCADE"), nullable=False),
    Column("place", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("covers", Id, nullable=False),
    Column("since", Moment),
    Column("written_at", Moment, nullable=False),
    UniqueConstraint("identity_id", "place"),
)
"""What an identity said in a place, up to the message `covers`; `since` is the time of the oldest words in it."""

audit = Table(
    "audit",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", Moment, nullable=False),
    Column("actor", Text, nullable=False),
    Column("act", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("digest", Text, nullable=False),
)
