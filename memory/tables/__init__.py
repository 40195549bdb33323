"""The tables. Everything that a person said or was told is found by their identities, so that it can be erased."""

from memory.tables.columns import INSERTS, Id, Moment, metadata
from memory.tables.journal import (
    IS_OPEN,
    IS_UNSENT,
    confirmations,
    conversations,
    files,
    messages,
    notes,
    parts,
    tool_calls,
)
from memory.tables.knowledge import approved, documents, knowledge, passages
from memory.tables.people import (
    audit,
    bans,
    evidence,
    facts,
    identities,
    joins,
    link_codes,
    link_tries,
    persons,
    summaries,
)

OF_PEOPLE = (
    messages,
    parts,
    files,
    facts,
    bans,
    summaries,
    tool_calls,
    confirmations,
    evidence,
    joins,
    link_codes,
    link_tries,
    identities,
    persons,
    conversations,
    notes,
)
"""What holds anything that somebody said, or was told, or is called."""

__all__ = [
    "INSERTS",
    "IS_OPEN",
    "IS_UNSENT",
    "OF_PEOPLE",
    "Id",
    "Moment",
    "approved",
    "audit",
    "bans",
    "confirmations",
    "conversations",
    "documents",
    "evidence",
    "facts",
    "files",
    "identities",
    "joins",
    "knowledge",
    "link_codes",
    "link_tries",
    "messages",
    "metadata",
    "notes",
    "parts",
    "passages",
    "persons",
    "summaries",
    "tool_calls",
]
