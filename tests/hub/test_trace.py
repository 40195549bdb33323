"""One id leads through the log, from the callback to the receipt, whichever way the answer goes."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from hub import delivery, gateway, show
from hub.channel import Traits
from tests.hub.stage import Stage, said, stage

PUSHED = Traits()
PULLED = Traits(pulled=True)
IN_THE_ANSWER = Traits(text_bytes=20, answers_request=True)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[LogCapture]:
    """What is logged; by loggers of our own, since others may have been kept with what was configured before."""
    for module in (gateway, delivery, show):
        monkeypatch.setattr(module, "log", structlog.get_logger())
    capture = LogCapture()
    structlog.configure(processors=[structlog.contextvars.merge_contextvars, capture], cache_logger_on_first_use=False)
    yield capture
    structlog.reset_defaults()


@dataclass(frozen=True)
class Step:
    """A line of the log."""

    what: str
    turn: str
    channel: str


def steps(log: LogCapture) -> list[Step]:
    """The lines that have a turn."""
    return [Step(line["event"], line["turn"], line["channel"]) for line in log.entries if "turn" in line]


async def asked(hub: Stage) -> Any:
    """A question, asked and answered; its ticket."""
    ticket = await hub.gateway.accept(said("你好"))
    if hub.channel.traits.answers_request:
        assert await ticket.reply(within=10)
        await ticket.written()
    await hub.settled()
    return ticket


@pytest.mark.parametrize("traits", [PUSHED, PULLED, IN_THE_ANSWER], ids=["pushed", "pulled", "in the answer"])
async def test_a_turn_is_found_by_its_id_from_the_callback_to_the_receipt(
    tmp_path: Path, log: LogCapture, traits: Traits
) -> None:
    async with stage(tmp_path, traits=traits) as hub:
        ticket = await asked(hub)

    found = sorted(steps(log), key=lambda step: step.what)
    assert found == [Step(what, ticket.turn, "main") for what in ("accepted", "answered", "sent")]


async def test_what_an_operator_says_has_a_line_as_well(tmp_path: Path, log: LogCapture) -> None:
    async with stage(tmp_path, traits=PULLED) as hub:
        await asked(hub)
        log.entries.clear()
        await hub.gateway.tell(1, "我是小王")

    assert [line["event"] for line in log.entries] == ["sent"]


async def test_what_follows_an_http_answer_does_not_overtake_it(tmp_path: Path) -> None:
    async with stage(tmp_path, traits=replace(IN_THE_ANSWER, after_answer=0.3)) as hub:
        ticket = await hub.gateway.accept(said("第一句话说到这里。第二句话说到那里。"))
        assert await ticket.reply(within=10)
        await ticket.written()
        written = datetime.now(UTC)
        await hub.channel.until(lambda channel: bool(channel.sent))
        pushed = datetime.now(UTC)
        await asyncio.wait_for(hub.settled(), 10)

        assert hub.channel.texts
        assert (pushed - written).total_seconds() > 0.25
