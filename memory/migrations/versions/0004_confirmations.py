"""What somebody is asked before a tool acts."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Makes it."""
    op.create_table(
        "confirmations",
        sa.Column("identity_id", ID, sa.ForeignKey("identities.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("conversation_id", ID, sa.ForeignKey("conversations.id"), primary_key=True),
        sa.Column("message_id", ID, sa.ForeignKey("messages.id"), nullable=False, index=True),
        sa.Column("tool", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("asked_at", sa.Float, nullable=False),
        sa.Column("expires_at", sa.Float, nullable=False),
        sa.Column("answer", sa.Text, nullable=False, server_default=""),
        sa.Column("answered_by", ID),
    )
