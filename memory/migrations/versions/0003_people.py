"""What joins people and parts them, what they told, who is talked to by people, and who did what."""

import sqlalchemy as sa
from alembic import op

from memory.tables import audit, facts, joins, link_codes, link_tries

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the tables as they are declared: a later change of one gets a revision of its own."""
    for table in (link_codes, link_tries, joins, facts, audit):
        table.create(op.get_bind())
    op.add_column("conversations", sa.Column("handed", sa.Text, nullable=False, server_default=""))
