"""The path of one message: accept → person → agent → reply → delivery.

Accept once: a message is on disk before anybody acknowledges it. Answer once: the reply and its parts are
committed in one transaction that closes the message. Deliver once: see delivery.py. In order: one lane per
conversation. Whatever fails inside a turn ends in a sentence for the person and a traceback for the operator.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog

from hub.channel import Channel, Recorded, Ticket
from hub.delivery import Delivery
from hub.errors import NotStored
from hub.files import Files, NoFiles, Taken
from hub.fit import fit
from hub.journal import Journal, Piece, Stored
from hub.lanes import Lanes
from hub.memory import Memory
from hub.message import Conversation, InboundMessage, Media, OutboundMessage
from hub.observe import Metrics
from hub.show import Show
from hub.texts import texts
from hub.tickets import Claims, HubTicket, in_time, states
from hub.turn import Agent, Answer, Delta, Restarted, ToolUsed, Turn

log = structlog.get_logger()

MOST_ATTEMPTS = 4
"""Turns that a message may begin: one that ends the process each time must not end it for ever."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a turn may take."""

    turns: int = 1000
    turn_seconds: float = 150.0
    history: int = 20
    stale_after: float = 0.0


class Gateway:
    """Takes messages from the channels and gives them to the agent. Is the Inbox of every channel."""

    def __init__(
        self,
        *,
        journal: Journal,
        agent: Agent,
        memory: Memory,
        channels: Mapping[str, Channel[Any]],
        delivery: Delivery,
        metrics: Metrics,
        clock: Callable[[], datetime],
        bounds: Bounds,
        files: Files | None = None,
    ) -> None:
        self._journal = journal
        self._agent = agent
        self._memory = memory
        self._channels = channels
        self._delivery = delivery
        self._metrics = metrics
        self._clock = clock
        self._bounds = bounds
        self._files = files or NoFiles()
        self._claims = Claims(journal, delivery, clock)
        self._lanes: Lanes[int, Stored] = Lanes(self._turn, most=bounds.turns)
        self._closing = False

    # -- the inbox

    async def accept(self, message: InboundMessage) -> Ticket:
        """Stores the message and puts it into its lane; while the hub is stopping, it is answered after the next start.

        It is stored even then: a platform that pushes over a connection of its own does not push again.
        """
        now = self._clock()
        stored = await self._journal.accept(message, now=now, answer=not self._stale(message, now))
        channel = message.conversation.channel
        if stored.fresh:
            self._metrics.received(channel)
            log.info("accepted", turn=stored.turn, channel=channel, number=stored.event, answer=stored.open)
            if stored.open and not self._closing:
                self._lanes.put(stored.place, stored)
        return self._ticket(stored)

    async def find(self, conversation: Conversation, key: str) -> Ticket | None:
        """See hub.channel.Inbox."""
        stored = await self._journal.find(conversation, key)
        return self._ticket(stored) if stored else None

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        """See hub.channel.Inbox."""
        await self._journal.withdraw(conversation, key)

    async def give_back(self, conversation: Conversation) -> None:
        """See hub.channel.Inbox."""
        await self._memory.give_back(conversation)

    def _ticket(self, stored: Stored) -> HubTicket:
        traits = self._channels[stored.message.conversation.channel].traits
        return HubTicket(stored, self._claims, room=traits.text_bytes, pushes=traits.pushes)

    def _stale(self, message: InboundMessage, now: datetime) -> bool:
        limit = self._bounds.stale_after
        return bool(limit and message.sent_at and now - message.sent_at > timedelta(seconds=limit))

    # -- the turn

    async def _turn(self, stored: Stored) -> None:
        """One message from its lane to its committed reply. Raises nothing."""
        channel = self._channels[stored.message.conversation.channel]
        loop = asyncio.get_running_loop()
        began = loop.time()
        structlog.contextvars.bind_contextvars(turn=stored.turn, channel=channel.name)  # in the context of a lane
        try:
            await self._delivery.stir(stored.place)
            stored = await self._memory.identify(stored, await channel.vouch(stored.message.sender.user))
            async with Show(channel, stored, self._journal) as show:
                answer = await self._answer(stored, show)
            if answer.handover:
                await channel.hand_over(stored.message, stored.turn)
            if await self._commit(channel, stored, answer):
                log.info("answered", engine=answer.engine, seconds=round(loop.time() - began, 3))
                await self._learn(stored, answer)
        except Exception:
            log.exception("a turn failed")
            await self._apologise(channel, stored)
        finally:
            self._claims.forget(stored)
            self._metrics.turned(channel.name, loop.time() - began)

    async def _answer(self, stored: Stored, show: Show) -> Answer:
        """The person's command, or what the agent says."""
        attempt = 1
        if not stored.fresh:
            attempt = await self._journal.begin(stored, now=self._clock())
        language = texts(stored.person.language)
        if attempt > MOST_ATTEMPTS:
            log.error("a message is given up after several attempts", attempts=attempt)
            return Answer(language.failed, engine="none")
        if answer := await self._memory.answer(stored):
            return answer
        try:
            async with asyncio.timeout(self._bounds.turn_seconds):
                return await self._said(stored, attempt, show)
        except TimeoutError:
            log.error("the agent took too long")
            return Answer(language.failed, engine="none")

    async def _said(self, stored: Stored, attempt: int, show: Show) -> Answer:
        """What is said to words; to a file by itself, that it was read and may be asked about."""
        taken = Taken()
        if any(isinstance(part, Media) for part in stored.message.parts):
            channel = self._channels[stored.message.conversation.channel]
            taken = await self._files.take(stored, channel.fetch)
        language = texts(stored.person.language)
        if stored.message.text:
            turn = await self._prepare(stored, attempt)
            answer = await self._memory.offer(stored, await self._ask(turn, show))
            return replace(answer, text=f"{answer.text}\n\n{language.not_seen}") if _missed(stored, taken) else answer
        if taken.read:
            return Answer(language.file_read.format(names="、".join(taken.read)), engine="none")
        if taken.pictures:
            return Answer(language.picture_seen, engine="none")
        return Answer(language.file_unread if taken.unread else language.only_words, engine="none")

    async def _prepare(self, stored: Stored, attempt: int) -> Turn:
        """Everything that the agent may know of the person, read before it is asked."""
        strange = stored.event == 1 and not stored.person.linked
        history = () if strange else await self._journal.history(stored, limit=self._bounds.history)
        deadline = asyncio.get_running_loop().time() + self._bounds.turn_seconds
        return Turn(
            id=stored.turn,
            message=stored.message,
            person=stored.person,
            history=tuple(history),
            memory=() if strange else await self._memory.recall(stored),
            attachments=await self._files.recall(stored),
            deadline=deadline,
            attempt=attempt,
        )

    async def _ask(self, turn: Turn, show: Show) -> Answer:
        """Shows the agent's answer while it grows, and returns it."""
        async with aclosing(self._agent.answer(turn)) as events:  # type: ignore[type-var]  # agents are generators
            async for event in events:
                match event:
                    case Delta(text=text):
                        await show.grow(text)
                    case Restarted():
                        await show.restart()
                    case ToolUsed(name=name, outcome=outcome, seconds=seconds):
                        self._metrics.tool_called(name, outcome, seconds)
                    case Answer():
                        return event
        raise RuntimeError("the agent ended without an answer")

    # -- the reply

    async def _commit(self, channel: Channel[Any], stored: Stored, answer: Answer) -> bool:
        """Stores the reply, gives it to whoever waits, and the rest to delivery; False when it was answered before."""
        traits = channel.traits
        pieces = fit(answer.reply, traits, texts(stored.person.language))
        await self._delivery.stir(stored.place)
        awaited = traits.answers_request and self._claims.awaited(stored)
        older, claimed = self._claims.split(stored, pieces, traits.text_bytes) if awaited else ([], 0)
        state = states(len(pieces), claimed, pulled=traits.pulled, pushes=traits.pushes, most=traits.most_parts)
        old_ids = [part.message.id for part in older]
        self._delivery.claimed(stored.place, old_ids)
        parts = await self._store(stored, answer, pieces, states=state, claim=old_ids)
        self._delivery.add(stored.place, list(zip(parts, state, strict=False)))
        self._metrics.replied(channel.name, answer.engine)
        new_ids = [part.id for part in parts[:claimed]]
        self._delivery.claimed(stored.place, new_ids)
        ids = [*old_ids, *new_ids]
        message = in_time(parts, older, claimed, pushes=traits.pushes) if ids and parts else None
        taken = self._claims.settle(stored, message, ids)
        if ids and not (taken and message):
            self._claims.drop(stored.id)
            self._delivery.release(stored.place, ids)
        self._delivery.wake(stored.place)
        if traits.pulled:
            await self._announce(channel, parts)
        return bool(parts) or not pieces

    async def _store(
        self, stored: Stored, answer: Answer, pieces: list[Piece], **how: Any
    ) -> Sequence[OutboundMessage]:
        """Commits, however long the database is away: the answer was paid for."""
        pause = 0.1
        while True:
            try:
                return await self._journal.answer(stored, answer, pieces, now=self._clock(), **how)
            except NotStored:
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)

    async def _announce(self, channel: Channel[Any], parts: Sequence[OutboundMessage]) -> None:
        """Tells a channel whose people fetch replies that there are some."""
        for part in parts:
            await channel.send(part)
            self._metrics.delivered(channel.name, "sent")
            log.info("sent", turn=part.turn, channel=channel.name, part=part.id)

    async def _learn(self, stored: Stored, answer: Answer) -> None:
        try:
            await self._memory.learn(stored, answer)
        except NotStored:
            log.warning("what the person told was not kept")

    async def _apologise(self, channel: Channel[Any], stored: Stored) -> None:
        """After a fault of ours: the person gets a sentence; nothing is left open."""
        try:
            await self._commit(channel, stored, Answer(texts(stored.person.language).failed, engine="none"))
        except Exception:
            log.exception("not even an apology was possible")

    async def tell(self, place: int, text: str) -> bool:
        """Says something that nobody asked for, in this conversation; False when it is not there."""
        stored = await self._journal.say(place, text, now=self._clock())
        if stored is None or stored.conversation.channel not in self._channels:
            return False
        channel = self._channels[stored.conversation.channel]
        if channel.traits.pulled:
            await self._journal.mark([stored.id], "sent", now=self._clock())
            await self._announce(channel, [stored])
        else:
            self._delivery.add(place, [(stored, "waiting")])
        return True

    # -- the process

    async def start(self) -> None:
        """Takes up what an earlier process left: first what was to be sent, then what was to be answered."""
        await self._delivery.start()
        for stored in await self._journal.open():
            if stored.message.conversation.channel in self._channels:
                self._lanes.put(stored.place, stored)

    @property
    def depth(self) -> int:
        """Messages that wait for their turn or are in it."""
        return self._lanes.depth

    @property
    def oldest(self) -> float:
        """Seconds that the oldest of them has waited."""
        return self._lanes.oldest

    async def drain(self, seconds: float) -> bool:
        """Begins nothing new, finishes what is in work; False when it takes longer."""
        self._closing = True
        end = asyncio.get_running_loop().time() + seconds
        done = await self._lanes.drain(seconds)
        return await self._delivery.drain(max(end - asyncio.get_running_loop().time(), 0.5)) and done

    async def close(self) -> None:
        """Cancels what is still in work; the journal knows it."""
        self._closing = True
        await self._lanes.close()
        await self._delivery.close()


def _missed(stored: Stored, taken: Taken) -> bool:
    """Whether something came with the words that nobody could look at."""
    looked = any(isinstance(part, Media) and part.kind in ("image", "video") for part in stored.message.parts)
    return taken.unread > 0 or (looked and not taken.pictures)


class HubRecord:
    """What one channel may read of the journal. See hub.channel.Record."""

    def __init__(self, journal: Journal, channel: str) -> None:
        self._journal = journal
        self._channel = channel

    async def events(self, conversation: Conversation, *, after: int, limit: int = 200) -> Sequence[Recorded]:
        found = await self._journal.events(conversation, after=after, limit=limit)
        return [Recorded(event, message, at) for event, message, at in found]

    async def note(self, key: str) -> str | None:
        return await self._journal.note(self._channel, key)

    async def keep_note(self, key: str, value: str) -> None:
        await self._journal.keep_note(self._channel, key, value)
