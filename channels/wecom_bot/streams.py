"""Streams that WeCom asks for: what each shows, and whether somebody has seen it.

In memory only. A stream that is asked for and not here (after a restart) is answered from the journal, see polls.py.

A piece of an answer is put into a stream and counts as delivered when a poll has carried it away. Nothing is put
into a stream that nobody asks for any more.

Replicas tell each other what a stream shows and what was carried away: a poll may reach one, and the turn run in
another. What is told may be lost, so whoever waits for a poll tells again what the stream shows.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from channels.wecom_bot.settings import Settings
from channels.wecom_bot.sharing import Carried, State, Told, read, write
from hub.fit import size, split
from hub.message import Conversation
from hub.texts import beside

FORGOTTEN = 400.0
"""Seconds after which a stream is forgotten: WeCom asks for 6 minutes, and the journal knows the answer."""
JOINT = "\n\n"


@dataclass(eq=False, slots=True)
class Stream:
    """One stream. `opened`, `asked` and `silent` are times of the event loop; `end` is what it says when it is over."""

    id: str
    conversation: Conversation
    opened: float
    asked: float
    later: bool = False
    """Whether there is another way for an answer that comes too late."""
    live: str = ""
    pieces: list[str] = field(default_factory=list)
    finished: bool = False
    end: State | None = None
    carried: int = 0
    silent: float | None = None
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def takes(self, text: str, most: int) -> bool:
        """Whether one more piece fits in."""
        return not self.finished and self.end is None and size(JOINT.join([*self.pieces, text])) <= most

    def carry(self, count: int) -> None:
        """A poll has carried so many pieces away."""
        self.carried = max(self.carried, count)
        self.changed.set()
        self.changed = asyncio.Event()


class Streams:
    """All streams of one bot. `tell` gives text to the other replicas."""

    def __init__(
        self, settings: Settings, *, time: Callable[[], float], tell: Callable[[str], Awaitable[None]]
    ) -> None:
        self._settings = settings
        self._time = time
        self._tell = tell
        self._streams: OrderedDict[str, Stream] = OrderedDict()
        self._latest: dict[Conversation, Stream] = {}

    # -- which there are

    def get(self, name: str) -> Stream | None:
        """The stream with this id, if it is here."""
        return self._streams.get(name)

    def open(self, name: str, conversation: Conversation, *, age: float = 0.0, later: bool = False) -> Stream:
        """The stream with this id, a new one where there is none."""
        if known := self._streams.get(name):
            return known
        now = self._time()
        self._sweep(now)
        stream = Stream(name, conversation, opened=now - age, asked=now, later=later)
        self._streams[name] = self._latest[conversation] = stream
        return stream

    def _sweep(self, now: float) -> None:
        while self._streams and now - next(iter(self._streams.values())).opened > FORGOTTEN:
            _, old = self._streams.popitem(last=False)
            if self._latest.get(old.conversation) is old:
                del self._latest[old.conversation]

    def newest(self, conversation: Conversation) -> Stream | None:
        """The stream of this conversation that was opened last, if it is still asked for."""
        stream = self._latest.get(conversation)
        return stream if stream is not None and self.asked(stream) else None

    def asked(self, stream: Stream) -> bool:
        """Whether WeCom still asks for it."""
        now = self._time()
        return (
            not stream.finished
            and stream.end is None
            and now - stream.opened < self._settings.stream_seconds
            and now - stream.asked < self._settings.poll_patience
        )

    # -- what they show

    async def grow(self, stream: Stream, text: str) -> None:
        """The answer so far."""
        stream.live = text
        await self.share(stream)

    def fall_silent(self, stream: Stream) -> None:
        """The turn is over; where no answer follows, the stream ends after a while."""
        stream.silent = self._time()

    def overdue(self, stream: Stream) -> bool:
        """Whether its turn has long been over and nothing has come of it.

        Where it showed words, the answer is on its way: the stream would say it, and delivery once more.
        """
        silent = None if stream.finished or stream.end or stream.live else stream.silent
        return silent is not None and self._time() - silent >= self._settings.silence_patience

    async def put(self, stream: Stream, text: str, *, finish: bool) -> bool:
        """Adds a piece, and waits until a poll has carried it away; False when nobody asks any more."""
        stream.pieces.append(text)
        stream.finished = finish
        count = len(stream.pieces)
        while stream.carried < count:
            changed = stream.changed
            await self.share(stream)
            if not await self._polled(stream, changed):
                stream.pieces.remove(text)
                return False
        return True

    async def _polled(self, stream: Stream, changed: asyncio.Event) -> bool:
        """Waits for a poll; False when nobody asks any more."""
        while (left := stream.asked + self._settings.poll_patience - self._time()) > 0:
            try:
                async with asyncio.timeout(left):
                    return await changed.wait()
            except TimeoutError:
                continue
        return changed.is_set()

    async def conclude(self, stream: Stream, words: str) -> None:
        """Its answer goes another way: the stream ends with these words, should it be asked for again."""
        stream.end = State(JOINT.join([*stream.pieces, words]), finish=True, pieces=len(stream.pieces))
        await self.share(stream)

    def poll(self, stream: Stream) -> State:
        """What the stream shows to one who asks now."""
        stream.asked = now = self._time()
        if stream.end is None and not stream.finished:
            stream.end = self._ended(stream, now)
        return stream.end or self._shown(stream)

    async def carry(self, stream: Stream, state: State) -> None:
        """A poll was answered with this state."""
        stream.carry(state.pieces)
        await self._tell(write(Carried(id=stream.id, count=state.pieces)))

    def _shown(self, stream: Stream) -> State:
        parts = stream.pieces if stream.finished else [*stream.pieces, stream.live]
        content = JOINT.join(part for part in parts if part)
        return State(self._cut(content), stream.finished, len(stream.pieces))

    def _ended(self, stream: Stream, now: float) -> State | None:
        """How a stream ends to which no answer came: too late, or because there is none."""
        words = beside(stream.live)
        if now - stream.opened >= self._settings.stream_seconds:
            return self._end(stream, words.later if stream.later else words.pending)
        if self.overdue(stream):
            return self._end(stream, "" if stream.pieces else words.received)
        return None

    def _end(self, stream: Stream, words: str) -> State:
        parts = [*stream.pieces, stream.live]
        room = self._settings.text_bytes - size(words) - len(JOINT)
        shown = self._cut(JOINT.join(part for part in parts if part), room)
        return State(JOINT.join(part for part in (shown, words) if part), True, len(stream.pieces))

    def _cut(self, text: str, most: int = 0) -> str:
        """As much as a stream may carry, from the beginning."""
        most = most or self._settings.text_bytes
        return text if size(text) <= most else split(text, most)[0]

    # -- what replicas tell each other

    async def share(self, stream: Stream) -> None:
        """Tells the others what the stream shows."""
        await self._tell(
            write(
                Told(
                    id=stream.id,
                    conversation=stream.conversation,
                    live=stream.live,
                    pieces=stream.pieces,
                    finished=stream.finished,
                    end=stream.end,
                )
            )
        )

    def learn(self, news: str) -> None:
        """What another replica told."""
        try:
            known = read(news)
        except ValueError:  # of another version, while replicas are exchanged one by one
            return
        match known:
            case Told() as told:
                self._learn(told)
            case Carried(id=name, count=count):
                if stream := self._streams.get(name):
                    stream.asked = self._time()
                    stream.carry(count)

    def _learn(self, told: Told) -> None:
        stream = self.open(told.id, told.conversation)
        stream.live, stream.pieces, stream.finished = told.live, list(told.pieces), told.finished
        stream.end = told.end or stream.end
