"""What the agent knows: documents in passages, and the answers that were approved."""

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, ForeignKey, Index, Integer, Table, Text

from memory.tables.columns import Id, Moment, metadata

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
