"""Sends what is in the outbox: in order within a conversation, again where that helps, never twice on purpose.

What is to be sent is held in memory by conversation and mirrored in the journal before and after every
step, so that a crash at any point leaves a state from which the next start goes on:

- a part that was `sending` may have arrived: it is sent once more with `retry` set, so that a channel whose
  platform knows idempotency keys can tell, and marked as a possible duplicate;
- after a failure the next try starts at the part that failed;
- a refusal (Closed) is never tried again on a timer: the parts are kept for the person's next message, as
  on a channel that can't push; what waits for the operator (Blocked) is tried at the next message or start;
- a part claimed for an HTTP answer that was never confirmed goes out in the usual way after a while.
"""

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog

from hub.channel import Channel
from hub.errors import Blocked, Closed, Faulty, Impossible, NotStored, Unknown
from hub.fit import size
from hub.journal import Journal, Outgoing, PartState
from hub.lanes import Lanes
from hub.message import OutboundMessage, Receipt
from hub.observe import Metrics
from hub.texts import texts

log = structlog.get_logger()

FAR = datetime(9999, 1, 1, tzinfo=UTC)
"""`not_before` of a part that waits for the operator."""
BACKOFF = (2.0, 6.0, 18.0, 60.0, 180.0)
"""Seconds before the next try after a fault; the last one again and again."""
GIVE_UP = 30
"""Tries after which a part that only meets faults is kept for the person's next message."""
SEND_SECONDS = 60.0
CONFIRM_SECONDS = 15.0
"""Seconds in which a claimed part must be written: longer than a platform waits before it asks again."""
PASSIVE = "http"
"""The receipt of a part that went out in an HTTP answer."""


class Delivery:
    """Owns the outbox while the process runs."""

    def __init__(
        self,
        journal: Journal,
        channels: Mapping[str, Channel[Any]],
        *,
        clock: Callable[[], datetime],
        metrics: Metrics,
        most: int = 1000,
    ) -> None:
        self._journal = journal
        self._channels = channels
        self._clock = clock
        self._metrics = metrics
        self._parts: defaultdict[int, list[Outgoing]] = defaultdict(list)
        self._kept: set[int] = set()
        self._sending: set[int] = set()
        self._paused: dict[int, datetime] = {}
        """Place → until when an HTTP answer may not have been shown yet (Traits.after_answer)."""
        self._timers: dict[int, asyncio.TimerHandle] = {}
        self._background: set[asyncio.Task[None]] = set()
        self._lanes: Lanes[int, int] = Lanes(self._deliver, most=most)

    # -- what comes in

    async def start(self) -> None:
        """Takes up what an earlier process left."""
        for part in await self._journal.unsent():
            if part.message.conversation.channel not in self._channels:
                continue
            if part.state == "kept":
                self._kept.add(part.place)
            elif part.state == "claimed":
                self._parts[part.place].append(part)
                self._expect([part])
            else:
                self._parts[part.place].append(self._revived(part))
        for place in list(self._parts):
            self._lanes.put(place, place)

    def _revived(self, part: Outgoing) -> Outgoing:
        """A part as it is to be tried after a start."""
        uncertain = part.state in ("sending", "unknown")
        due = None if part.not_before == FAR else part.not_before
        message = replace(part.message, retry=part.message.retry or uncertain)
        return replace(part, state="waiting", not_before=due, message=message)

    def add(self, place: int, parts: Sequence[tuple[OutboundMessage, PartState]]) -> None:
        """New parts of a reply that was just stored."""
        for message, state in parts:
            if state in ("waiting", "claimed"):
                self._parts[place].append(Outgoing(message, place, state))
            elif state == "kept":
                self._kept.add(place)
        if any(state == "waiting" for _, state in parts):
            self._lanes.put(place, place)

    async def stir(self, place: int) -> None:
        """The person wrote again: what was kept for them is due now. Cheap when nothing is."""
        if place not in self._kept:
            return
        held = {part.message.id for part in self._parts[place]}
        found = [part for part in await self._journal.waiting(place) if part.message.id not in held]
        self._kept.discard(place)
        for part in found:
            revived = self._revived(part)
            self._parts[place].append(revived if part.state != "claimed" else part)
        self._parts[place].sort(key=lambda part: part.message.event)
        if found and self._channels[found[0].message.conversation.channel].traits.pushes:
            self._lanes.put(place, place)

    def wake(self, place: int) -> None:
        """What was not claimed is sent, or kept where the channel can't push."""
        if self._parts.get(place):
            self._lanes.put(place, place)
        else:
            self._parts.pop(place, None)

    # -- claims: parts that go out in an open HTTP answer

    def claimable(self, place: int, room: int | None) -> tuple[list[Outgoing], int | None]:
        """The oldest parts that wait, as many as fit into `room` bytes, and the room that is left.

        None of them while a part of the conversation is being sent: the answer would overtake it. The
        room is 0 when not all of them fit.
        """
        waiting = [part for part in self._parts.get(place, ()) if part.state == "waiting"]
        if place in self._sending:
            return [], 0
        taken: list[Outgoing] = []
        for part in waiting:
            cost = size(part.message.text) + 2
            if room is not None and cost - (0 if taken else 2) > room:
                return taken, 0
            taken.append(part)
            room = None if room is None else room - cost
        return taken, room

    def claimed(self, place: int, ids: Sequence[int]) -> None:
        """These parts are claimed (the caller has it in the journal)."""
        if not ids:
            return
        mine = set(ids)
        self._parts[place] = [p if p.message.id not in mine else _claimed(p) for p in self._parts[place]]
        self._expect([part for part in self._parts[place] if part.message.id in mine])

    def _expect(self, parts: Sequence[Outgoing]) -> None:
        """Releases the claim when nobody confirms it."""
        loop = asyncio.get_running_loop()
        for part in parts:
            old = self._timers.pop(part.message.id, None)
            if old:
                old.cancel()
            self._timers[part.message.id] = loop.call_later(
                CONFIRM_SECONDS, self.release, part.place, [part.message.id]
            )

    def release(self, place: int, ids: Sequence[int]) -> None:
        """The HTTP answer was lost: the parts go out in the usual way."""
        mine = set(ids)
        for part_id in ids:
            if timer := self._timers.pop(part_id, None):
                timer.cancel()
        self._parts[place] = [
            replace(p, state="waiting", message=replace(p.message, retry=True)) if p.message.id in mine else p
            for p in self._parts[place]
        ]
        self._lanes.put(place, place)

    async def confirm(self, place: int, ids: Sequence[int]) -> None:
        """The HTTP answer was written. Once is enough: an answer that is asked for again is written again."""
        held = [part.message for part in self._parts.get(place, ()) if part.message.id in set(ids)]
        ids = [message.id for message in held]
        for message in held:
            if timer := self._timers.pop(message.id, None):
                timer.cancel()
            log.info("sent", turn=message.turn, channel=message.conversation.channel, part=message.id, receipt=PASSIVE)
        self._forget(place, ids)
        if held:
            self._pause(place, self._channels[held[0].conversation.channel].traits.after_answer)
        await self._surely(ids, "sent", receipt=Receipt(PASSIVE))
        self.wake(place)

    def _pause(self, place: int, seconds: float) -> None:
        """Lets the platform show the HTTP answer first: what follows it by another way could overtake it."""
        self._paused[place] = self._clock() + timedelta(seconds=seconds)
        asyncio.get_running_loop().call_later(seconds, self._paused.pop, place, None)

    def _forget(self, place: int, ids: Sequence[int]) -> None:
        mine = set(ids)
        rest = [part for part in self._parts.get(place, ()) if part.message.id not in mine]
        if rest:
            self._parts[place] = rest
        else:
            self._parts.pop(place, None)

    # -- sending

    async def _deliver(self, place: int) -> None:
        """Sends the parts of one conversation until none is due."""
        while part := self._due(place):
            channel = self._channels[part.message.conversation.channel]
            if channel.traits.pushes:
                self._sending.add(place)
                try:
                    await self._send(channel, part)
                finally:
                    self._sending.discard(place)
            else:
                await self._keep(place, "this channel can't push")

    def _due(self, place: int) -> Outgoing | None:
        """The first part, when it is its time; a timer where it is not yet."""
        parts = self._parts.get(place)
        if not parts or parts[0].state != "waiting":
            return None
        due = max(filter(None, (parts[0].not_before, self._paused.get(place))), default=None)
        if due is None or due <= self._clock():
            return parts[0]
        seconds = max((due - self._clock()).total_seconds(), 0.01)
        asyncio.get_running_loop().call_later(seconds, self._lanes.put, place, place)
        return None

    async def _send(self, channel: Channel[Any], part: Outgoing) -> None:
        """One try, and what follows from how it ended."""
        message, ids, place = part.message, [part.message.id], part.place
        with structlog.contextvars.bound_contextvars(turn=message.turn, channel=channel.name):
            if not await self._stored(ids, "sending"):
                self._later(part, 1.0)
                return
            part = replace(part, tries=part.tries + 1)
            outcome = await self._outcome(channel, message)
            match outcome:
                case Receipt():
                    self._forget(place, ids)
                    await self._surely(ids, "sent", receipt=outcome)
                case Closed():
                    await self._keep(place, str(outcome) or outcome.code)
                case Blocked():
                    log.warning("a message waits for the operator", code=outcome.code, advice=outcome.advice)
                    await self._keep(place, outcome.advice or outcome.code, state="waiting", not_before=FAR)
                case Impossible():
                    self._forget(place, ids)
                    await self._surely(ids, "failed", why=str(outcome) or outcome.code)
                case Unknown() | Faulty():
                    await self._again(part, outcome)

    async def _outcome(
        self, channel: Channel[Any], message: OutboundMessage
    ) -> Receipt | Closed | Blocked | Impossible | Unknown | Faulty:
        """Calls the channel; whatever it raises is an outcome."""
        result: Receipt | Closed | Blocked | Impossible | Unknown | Faulty
        try:
            async with asyncio.timeout(SEND_SECONDS):
                result = await channel.send(message)
        except (Closed, Blocked, Impossible, Unknown, Faulty) as error:
            result = error
        except TimeoutError:
            result = Unknown("no end", code="timeout")
        except Exception:
            log.exception("a channel failed to send")
            result = Faulty(code="fault of ours")
        name = "Sent" if isinstance(result, Receipt) else type(result).__name__
        self._metrics.delivered(channel.name, name.lower())
        if not isinstance(result, Receipt):
            log.warning("a message was not sent", outcome=name, code=result.code, part=message.id)
        else:
            log.info("sent", part=message.id, receipt=result.id)
        return result

    async def _again(self, part: Outgoing, outcome: Unknown | Faulty) -> None:
        """Later, once more; what only meets faults is kept for the person's next message."""
        uncertain = isinstance(outcome, Unknown)
        if part.tries >= GIVE_UP or (uncertain and part.message.retry):
            await self._keep(part.place, outcome.code)
            return
        after = outcome.after if isinstance(outcome, Faulty) else None
        seconds = after or BACKOFF[min(part.tries, len(BACKOFF)) - 1] * random.uniform(1.0, 1.2)  # noqa: S311 — jitter
        message = replace(part.message, retry=part.message.retry or uncertain)
        part = self._later(replace(part, message=message), seconds)
        why = "possible duplicate" if uncertain else outcome.code
        await self._surely(
            [part.message.id], "unknown" if uncertain else "waiting", not_before=part.not_before, why=why
        )

    def _later(self, part: Outgoing, seconds: float) -> Outgoing:
        """Puts the first part off."""
        part = replace(part, not_before=self._clock() + timedelta(seconds=seconds))
        self._parts[part.place] = [part if p.message.id == part.message.id else p for p in self._parts[part.place]]
        return part

    async def _keep(
        self, place: int, why: str, *, state: PartState = "kept", not_before: datetime | None = None
    ) -> None:
        """All that waits in this conversation waits for the person's next message."""
        ids = [part.message.id for part in self._parts.get(place, ()) if part.state == "waiting"]
        self._forget(place, ids)
        self._kept.add(place)
        await self._surely(ids, state, not_before=not_before, why=why)

    # -- the journal

    async def _stored(self, ids: Sequence[int], state: PartState) -> bool:
        try:
            await self._journal.mark(ids, state, now=self._clock())
        except NotStored:
            return False
        return True

    async def _surely(self, ids: Sequence[int], state: PartState, **more: Any) -> None:
        """Marks, however long the database is away: forgetting this would send a message twice."""
        pause = 0.1
        while True:
            try:
                await self._journal.mark(ids, state, now=self._clock(), **more)
            except NotStored:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
            else:
                return

    def later(self, work: Any) -> None:
        """Runs something that nobody waits for; `drain` and `close` do."""
        task: asyncio.Task[None] = asyncio.ensure_future(work)
        self._background.add(task)
        task.add_done_callback(self._background.discard)

    # -- the end

    @property
    def depth(self) -> int:
        """Conversations with something that is being sent now."""
        return self._lanes.depth

    async def drain(self, seconds: float) -> bool:
        """Waits until all that is due is sent; False when it takes longer."""
        done = await self._lanes.drain(seconds)
        if self._background:
            await asyncio.wait(self._background, timeout=seconds)
        return done

    async def close(self) -> None:
        """Stops sending."""
        for timer in self._timers.values():
            timer.cancel()
        await self._lanes.close()
        for task in list(self._background):
            task.cancel()
        await asyncio.gather(*self._background, return_exceptions=True)


def _claimed(part: Outgoing) -> Outgoing:
    return part if part.state == "claimed" else replace(part, state="claimed")


def joined(parts: Sequence[OutboundMessage], *, more: bool) -> OutboundMessage:
    """Several parts in one text, as they go out in one HTTP answer; a last line says when more is kept."""
    if len(parts) == 1 and not more:
        return parts[0]
    lines = [part.text for part in parts]
    text = "\n\n".join(lines)
    if more:
        text = f"{text}\n{texts('zh').more}"
    citations = tuple(citation for part in parts for citation in part.citations)
    return replace(parts[0], text=text, citations=citations, last=parts[-1].last and not more)
