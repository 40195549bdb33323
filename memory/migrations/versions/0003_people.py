"""What joins people and parts them, what they told, who is talked to by people, and who did what."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes them."""
    _joining()
    _facts()
    op.create_table(
        "audit",
        sa.Column("id", ID, primary_key=True),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("act", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
    )
    op.add_column("conversations", sa.Column("handed", sa.Text, nullable=False, server_default=""))


def _identity(*, index: bool) -> sa.Column[int]:
    """Whose row it is; it goes with them."""
    whose = sa.ForeignKey("identities.id", ondelete="CASCADE")
    return sa.Column("identity_id", ID, whose, nullable=False, index=index)


def _joining() -> None:
    op.create_table(
        "link_codes",
        sa.Column("digest", sa.Text, primary_key=True),
        _identity(index=True),
        sa.Column("conversation_id", ID, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
    )
    op.create_table(
        "link_tries",
        sa.Column("id", ID, primary_key=True),
        _identity(index=False),
        sa.Column("tried_at", sa.Float, nullable=False),
    )
    op.create_index("link_tries_by_identity", "link_tries", ["identity_id", "tried_at"])
    op.create_table(
        "joins",
        sa.Column("id", ID, primary_key=True),
        _identity(index=True),
        sa.Column("from_person", ID, nullable=False),
        sa.Column("to_person", ID, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("joined_at", sa.Float, nullable=False),
        sa.Column("parted_at", sa.Float),
    )


def _facts() -> None:
    op.create_table(
        "facts",
        sa.Column("id", ID, primary_key=True),
        _identity(index=True),
        sa.Column("message_id", ID, sa.ForeignKey("messages.id"), nullable=False, index=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("said_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float),
        sa.Column("pinned", sa.Boolean, nullable=False, server_default=sa.false()),
    )
