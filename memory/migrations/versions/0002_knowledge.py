"""Documents, their passages, and the index by word."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes them. SQLite searches with its own full-text index, PostgreSQL with a table of tokens."""
    op.create_table(
        "knowledge",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("identity", sa.Text, nullable=False),
        sa.Column("tokens", sa.Text, nullable=False),
    )
    op.create_table(
        "documents",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("source", sa.Text, nullable=False, unique=True),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("modified", sa.Float, nullable=False),
        sa.Column("watched", sa.Boolean, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("read_at", sa.Float, nullable=False),
    )
    op.create_table(
        "passages",
        sa.Column("id", ID, primary_key=True),
        sa.Column("document_id", sa.Text, sa.ForeignKey("documents.id", ondelete="CASCADE"), nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("key", sa.Text, nullable=False, index=True),
        sa.Column("start", sa.Integer, nullable=False),
        sa.Column("end", sa.Integer, nullable=False),
        sa.Column("headings", sa.JSON, nullable=False),
        sa.Column("anchor", sa.Text, nullable=False),
        sa.Column("lead", sa.Text, nullable=False),
        sa.Column("length", sa.Integer, nullable=False),
    )
    op.create_index("passages_by_document", "passages", ["document_id", "generation"])
    if op.get_bind().dialect.name == "sqlite":
        _full_text()
    else:
        _tokens()


def _full_text() -> None:
    """Tokens come ready made, apart by spaces. https://www.sqlite.org/fts5.html"""
    op.execute(
        "CREATE VIRTUAL TABLE passage_words USING fts5(words, characters, sounds, "
        "tokenize=\"unicode61 remove_diacritics 0 tokenchars '_.'\")"
    )
    op.execute("CREATE VIRTUAL TABLE passage_counts USING fts5vocab(passage_words, 'col')")


def _tokens() -> None:
    op.create_table(
        "passage_tokens",
        sa.Column("kind", sa.SmallInteger, primary_key=True),
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("passage_id", ID, sa.ForeignKey("passages.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("count", sa.Integer, nullable=False),
    )
    op.create_index("passage_tokens_by_passage", "passage_tokens", ["passage_id"])
