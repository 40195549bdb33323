"""Who people are, what joins them, what they told, and the log of who did what to whom."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Table, Text, UniqueConstraint

from memory.tables.columns import Id, Moment, metadata

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
    Column("parted_by", Text, nullable=False, server_default=""),
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
