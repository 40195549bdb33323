"""Alembic's way in: the connection comes from memory/migrate.py."""

from alembic import context

from memory.migrate import run_migrations

run_migrations(context.config.attributes["connection"])
