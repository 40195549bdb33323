"""The calls of tools in a turn: what was asked, and what came of it. See memory/journal.py."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Connection, select

from memory import audit
from memory.tables import INSERTS, identities, messages, tool_calls

CallState = Literal["begun", "done", "failed", "refused"]
"""`begun` without an end: the process died in between, and nobody knows whether the tool did its work."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call. `number` counts from 1 within the turn; `arguments` is JSON as the model wrote it."""

    number: int
    name: str
    arguments: str
    state: CallState = "begun"
    result: str = ""


def of(connection: Connection, turn: str) -> list[Call]:
    """Those of a turn, in order."""
    query = (
        select(tool_calls.c.number, tool_calls.c.name, tool_calls.c.arguments, tool_calls.c.state, tool_calls.c.result)
        .where(tool_calls.c.message_id == row_of(turn))
        .order_by(tool_calls.c.number)
    )
    return [Call(*row) for row in connection.execute(query)]


def record(connection: Connection, turn: str, call: Call, now: datetime) -> bool:
    """Stores it under its number, its end also in the audit log; False for what was answered or erased meanwhile."""
    row = row_of(turn)
    is_open = (
        select(messages.c.id, identities.c.person_id)
        .join(identities, identities.c.id == messages.c.identity_id)
        .where(messages.c.id == row, messages.c.state == "open")
        .with_for_update(of=messages)
    )
    found = connection.execute(is_open).first()
    if found is None:
        return False
    values = {"name": call.name, "arguments": call.arguments, "state": call.state, "result": call.result}
    put = INSERTS[connection.dialect.name](tool_calls).values(
        message_id=row, number=call.number, called_at=now, **values
    )
    connection.execute(put.on_conflict_do_update(index_elements=["message_id", "number"], set_=values))
    if call.state != "begun":
        entry = audit.Entry(f"person {found.person_id}", "tool", call.name, call.state)
        audit.write(connection, entry, now=now)
    return True


def row_of(turn: str) -> int:
    """The message that a turn answers."""
    return int(turn.removeprefix("t"))
