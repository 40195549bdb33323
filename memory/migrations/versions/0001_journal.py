"""People, conversations, messages and parts."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")
UNSENT = "state IN ('waiting', 'sending', 'claimed', 'unknown', 'kept')"


def upgrade() -> None:
    """Makes them."""
    _people()
    _messages()
    _parts()
    op.create_table(
        "notes",
        sa.Column("channel", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "tool_calls",
        sa.Column("id", ID, primary_key=True),
        sa.Column("message_id", ID, sa.ForeignKey("messages.id"), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("result", sa.Text, nullable=False, server_default=""),
        sa.Column("called_at", sa.Float, nullable=False),
        sa.UniqueConstraint("message_id", "number"),
    )


def _people() -> None:
    op.create_table(
        "persons",
        sa.Column("id", ID, primary_key=True),
        sa.Column("language", sa.Text, nullable=False, server_default="zh"),
        sa.Column("created_at", sa.Float, nullable=False),
    )
    op.create_table(
        "identities",
        sa.Column("id", ID, primary_key=True),
        sa.Column("person_id", ID, sa.ForeignKey("persons.id"), nullable=False, index=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("user", sa.Text, nullable=False),
        sa.Column("created_at", sa.Float, nullable=False),
        sa.UniqueConstraint("channel", "account", "user"),
    )
    op.create_table(
        "evidence",
        sa.Column("id", ID, primary_key=True),
        sa.Column("identity_id", ID, sa.ForeignKey("identities.id", ondelete="CASCADE"), nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.Column("first_seen_at", sa.Float, nullable=False),
        sa.UniqueConstraint("identity_id", "kind", "value"),
    )
    op.create_index("evidence_by_value", "evidence", ["kind", "value"])


def _messages() -> None:
    op.create_table(
        "conversations",
        sa.Column("id", ID, primary_key=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("last_event", sa.Integer, nullable=False),
        sa.UniqueConstraint("channel", "account", "key"),
    )
    op.create_table(
        "messages",
        sa.Column("id", ID, primary_key=True),
        sa.Column("conversation_id", ID, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("identity_id", ID, sa.ForeignKey("identities.id"), nullable=False),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("event", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("received_at", sa.Float, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("live", sa.Text, nullable=False, server_default=""),
        sa.Column("engine", sa.Text, nullable=False, server_default=""),
        sa.Column("refused", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("model", sa.Text, nullable=False, server_default=""),
        sa.Column("input_tokens", sa.Integer, nullable=False, server_default="0"),
        sa.Column("output_tokens", sa.Integer, nullable=False, server_default="0"),
        sa.Column("answered_at", sa.Float),
        sa.UniqueConstraint("channel", "account", "key"),
    )
    op.create_index("messages_by_event", "messages", ["conversation_id", "event"])
    op.create_index("messages_by_identity", "messages", ["identity_id", "id"])
    where, columns = sa.text("state = 'open'"), ["conversation_id", "event"]
    op.create_index("messages_open", "messages", columns, sqlite_where=where, postgresql_where=where)


def _parts() -> None:
    op.create_table(
        "parts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("message_id", ID, sa.ForeignKey("messages.id"), index=True),
        sa.Column("conversation_id", ID, sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("identity_id", ID, sa.ForeignKey("identities.id"), nullable=False, index=True),
        sa.Column("event", sa.Integer, nullable=False),
        sa.Column("first", sa.Boolean, nullable=False),
        sa.Column("last", sa.Boolean, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("citations", sa.JSON, nullable=False),
        sa.Column("choices", sa.JSON, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("not_before", sa.Float),
        sa.Column("receipt", sa.Text, nullable=False, server_default=""),
        sa.Column("why", sa.Text, nullable=False, server_default=""),
        sa.Column("stored_at", sa.Float, nullable=False),
        sa.Column("marked_at", sa.Float),
    )
    op.create_index("parts_by_event", "parts", ["conversation_id", "event"])
    where, columns = sa.text(UNSENT), ["conversation_id", "event"]
    op.create_index("parts_unsent", "parts", columns, sqlite_where=where, postgresql_where=where)
