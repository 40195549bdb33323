"""What people wish not to be kept, a summary of what they said, and since when people answer a conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes them. Who is with people already, is from now on."""
    op.create_table(
        "bans",
        sa.Column("id", ID, primary_key=True),
        _identity(index=True),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
    )
    op.create_table(
        "summaries",
        sa.Column("id", ID, primary_key=True),
        _identity(index=False),
        sa.Column("place", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("covers", ID, nullable=False),
        sa.Column("since", sa.Float),
        sa.Column("written_at", sa.Float, nullable=False),
        sa.UniqueConstraint("identity_id", "place"),
    )
    op.add_column("conversations", sa.Column("handed_at", sa.Float))
    conversations = sa.table("conversations", sa.column("handed"), sa.column("handed_at"))
    now = sa.func.unixepoch() if op.get_context().dialect.name == "sqlite" else sa.extract("epoch", sa.func.now())
    op.execute(sa.update(conversations).where(conversations.c.handed != "").values(handed_at=now))


def _identity(*, index: bool) -> sa.Column[int]:
    """Whose row it is; it goes with them."""
    whose = sa.ForeignKey("identities.id", ondelete="CASCADE")
    return sa.Column("identity_id", ID, whose, nullable=False, index=index)
