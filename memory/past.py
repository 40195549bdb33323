"""What was said: the events of a conversation, and what a person may be reminded of. See memory/journal.py."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, Select, bindparam, literal, select

from hub.journal import Stored
from hub.message import Conversation, InboundMessage, OutboundMessage
from hub.turn import Exchange
from memory import outbox
from memory.inbox import INBOUND
from memory.prepared import Prepared
from memory.tables import conversations, identities, messages, parts

SILENT = ("command",)
"""Engines whose exchanges are no part of what the agent is told: a code must not reach a model."""

Event = tuple[int, InboundMessage | OutboundMessage, datetime]

_MOST = bindparam("most", type_=Integer)
_PLACE = Prepared(
    lambda _: select(conversations.c.id).where(
        conversations.c.channel == bindparam("channel"),
        conversations.c.account == bindparam("account"),
        conversations.c.key == bindparam("key"),
    )
)
_CAME = Prepared(
    lambda _: (
        select(messages.c.event, messages.c.payload, messages.c.received_at)
        .where(messages.c.conversation_id == bindparam("place"), messages.c.event > bindparam("after"))
        .order_by(messages.c.event)
        .limit(_MOST)
    )
)


def place(connection: Connection, conversation: Conversation) -> int | None:
    """Its row; None where nothing was said yet."""
    name = {"channel": conversation.channel, "account": conversation.account, "key": conversation.id}
    row = _PLACE.first(connection, name)
    return None if row is None else int(row.id)


def events(connection: Connection, conversation: Conversation, after: int, limit: int) -> list[Event]:
    """Both directions, by number."""
    row = place(connection, conversation)
    if row is None:
        return []
    came = _CAME.all(connection, {"place": row, "after": after, "most": limit})
    found: list[Event] = [(m.event, INBOUND.validate_json(m.payload), m.received_at) for m in came]
    found.extend((part.event, part, at) for part, at in outbox.after(connection, row, after, limit))
    return sorted(found, key=lambda item: item[0])[:limit]


_SAID = (
    select(messages.c.id, messages.c.payload, messages.c.received_at, messages.c.channel)
    .join(conversations, conversations.c.id == messages.c.conversation_id)
    .where(
        messages.c.state.in_([literal(state) for state in ("open", "answered", "recorded")]),
        *[messages.c.engine != engine for engine in SILENT],
    )
    .limit(_MOST)
)
_HERE = _SAID.where(messages.c.conversation_id == bindparam("place"), messages.c.event < bindparam("event")).order_by(
    messages.c.event.desc()
)
_PRIVATELY = _SAID.where(
    messages.c.identity_id == bindparam("identity"), messages.c.id < bindparam("row"), conversations.c.kind == "private"
).order_by(messages.c.id.desc())
"""One identity a query, so that an index gives the newest at once, however much there is."""


def _answers(said: Select[Any]) -> Select[Any]:
    """What was answered to those messages."""
    return (
        select(parts.c.message_id, parts.c.text, parts.c.stored_at)
        .where(parts.c.message_id.in_(said.with_only_columns(messages.c.id)))
        .order_by(parts.c.event)
    )


_IN_GROUP = Prepared(lambda _: _HERE), Prepared(lambda _: _answers(_HERE))
_IN_PRIVATE = Prepared(lambda _: _PRIVATELY), Prepared(lambda _: _answers(_PRIVATELY))
_MINE = Prepared(lambda _: select(identities.c.id).where(identities.c.person_id == bindparam("person")))


def history(connection: Connection, stored: Stored, limit: int) -> list[Exchange]:
    """The newest `limit` exchanges before the message, oldest first."""
    values = {"row": stored.id, "place": stored.place, "event": stored.event, "most": limit}
    if stored.message.conversation.kind == "group":
        said = _said(connection, _IN_GROUP, values)
    else:
        mine = _MINE.all(connection, {"person": stored.person.id})
        said = [one for i in mine for one in _said(connection, _IN_PRIVATE, {**values, "identity": i.id})]
    newest = sorted(said, key=lambda one: one[0], reverse=True)[:limit]
    return [exchange for _, exchanges in reversed(newest) for exchange in exchanges][-limit:]


def _said(
    connection: Connection, queries: tuple[Prepared, Prepared], values: Mapping[str, Any]
) -> list[tuple[int, list[Exchange]]]:
    """Messages by their rows, each with what was said in it and answered to it."""
    said, answers = queries
    found = {}
    for row in said.all(connection, values):
        text = INBOUND.validate_json(row.payload).text
        found[row.id] = row.channel, [Exchange("person", text, row.channel, row.received_at)] if text else []
    for part in answers.all(connection, values) if found else ():
        channel, exchanges = found[part.message_id]
        exchanges.append(Exchange("agent", part.text, channel, part.stored_at))
    return [(row, exchanges) for row, (_, exchanges) in found.items()]
