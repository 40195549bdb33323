"""What was said: the events of a conversation, and what a person may be reminded of. See memory/journal.py."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, select

from hub.journal import Stored
from hub.message import Conversation, InboundMessage, OutboundMessage
from hub.turn import Exchange
from memory.inbox import INBOUND
from memory.outbox import OUTGOING, outbound
from memory.tables import conversations, identities, messages, parts

SILENT = ("command",)
"""Engines whose exchanges are no part of what the agent is told: a code must not reach a model."""

Event = tuple[int, InboundMessage | OutboundMessage, datetime]


def events(connection: Connection, place: Conversation, after: int, limit: int) -> list[Event]:
    """Both directions, by number."""
    row = connection.execute(
        select(conversations.c.id).where(
            conversations.c.channel == place.channel,
            conversations.c.account == place.account,
            conversations.c.key == place.id,
        )
    ).scalar()
    if row is None:
        return []
    came = connection.execute(
        select(messages.c.event, messages.c.payload, messages.c.received_at)
        .where(messages.c.conversation_id == row, messages.c.event > after)
        .order_by(messages.c.event)
        .limit(limit)
    )
    went = connection.execute(
        OUTGOING.where(parts.c.conversation_id == row, parts.c.event > after).order_by(parts.c.event).limit(limit)
    )
    found: list[Event] = [(m.event, INBOUND.validate_json(m.payload), m.received_at) for m in came]
    found.extend((p.event, outbound(p), p.stored_at) for p in went)
    return sorted(found, key=lambda item: item[0])[:limit]


def history(connection: Connection, stored: Stored, limit: int) -> list[Exchange]:
    """The newest `limit` exchanges before the message, oldest first."""
    rows = connection.execute(_asked(stored).order_by(messages.c.id.desc()).limit(limit)).all()
    told: dict[int, list[tuple[str, datetime]]] = {}
    answers = (
        select(parts.c.message_id, parts.c.text, parts.c.stored_at)
        .where(parts.c.message_id.in_([row.id for row in rows]))
        .order_by(parts.c.event)
    )
    for part in connection.execute(answers):
        told.setdefault(part.message_id, []).append((part.text, part.stored_at))
    found: list[Exchange] = []
    for row in reversed(rows):
        if text := INBOUND.validate_json(row.payload).text:
            found.append(Exchange("person", text, row.channel, row.received_at))
        found.extend(Exchange("agent", text, row.channel, at) for text, at in told.get(row.id, ()))
    return found[-limit:]


def _asked(stored: Stored) -> Select[Any]:
    """What was said before, as far as it may be told here."""
    asked = (
        select(messages.c.id, messages.c.payload, messages.c.received_at, messages.c.channel)
        .join(conversations, conversations.c.id == messages.c.conversation_id)
        .where(
            messages.c.id < stored.id,
            messages.c.state.in_(("open", "answered", "recorded")),
            messages.c.engine.not_in(SILENT),
        )
    )
    if stored.message.conversation.kind == "group":
        return asked.where(messages.c.conversation_id == stored.place)
    mine = select(identities.c.id).where(identities.c.person_id == stored.person.id)
    return asked.where(messages.c.identity_id.in_(mine), conversations.c.kind == "private")
