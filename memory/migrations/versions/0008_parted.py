"""Who parted people again; "" where it was noted before there was such a column: people themselves, or an operator."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Adds the column."""
    op.add_column("joins", sa.Column("parted_by", sa.Text, nullable=False, server_default=""))
