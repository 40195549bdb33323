"""What was said and done: messages in, parts out, files, the calls of tools and the questions before them."""

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, literal_column

from memory.tables.columns import Id, Moment, metadata

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
