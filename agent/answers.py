"""Answers given before, for the same question, as long as the knowledge has not changed.

Only the same words count, apart from case, width, punctuation and space: in one narrow business questions that look
alike mean different things (measured on bank and payment questions: no similarity of vectors reaches 95 % precision).
What was said with somebody's history or memory in view, or with a tool, is never kept.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace

from agent.knowledge import tokens
from hub.turn import Answer, Turn, Usage

MOST = 2000
"""Answers that are kept; the one that was longest not asked for goes first."""
LOOSE = re.compile(r"(?P<before>[0-9a-z]?)(?P<loose>[\s,.!?;:~…，。！？、；：～\"'“”‘’]+)(?=(?P<after>[0-9a-z]?))")


@dataclass(frozen=True, slots=True)
class Key:
    """The question, and the state of the knowledge that it was answered from."""

    question: str
    version: int


class Answers:
    """Keeps answers for so many seconds; 0 keeps none."""

    def __init__(self, seconds: float, *, clock: Callable[[], float]) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: OrderedDict[Key, tuple[float, Answer]] = OrderedDict()

    def key(self, turn: Turn, version: int) -> Key | None:
        """Under what the answer may be kept; None when it is about this person, or nothing is kept at all."""
        if not self._seconds or turn.history or turn.memory:
            return None
        return Key(normal(turn.text), version)

    def get(self, key: Key) -> Answer | None:
        """The answer that was kept, as one that cost nothing."""
        until, answer = self._kept.get(key, (0.0, None))
        if answer is None or until <= self._clock():
            self._kept.pop(key, None)
            return None
        self._kept.move_to_end(key)
        return replace(answer, usage=Usage())

    def put(self, key: Key, answer: Answer) -> None:
        """Keeps an answer."""
        self._kept[key] = (self._clock() + self._seconds, answer)
        self._kept.move_to_end(key)
        while len(self._kept) > MOST:
            self._kept.popitem(last=False)


def normal(question: str) -> str:
    """The question without what makes no difference. "3.5" and "35", "C++" and "C" stay different."""
    return LOOSE.sub(_kept, tokens.normal(question))


def _kept(found: re.Match[str]) -> str:
    """Punctuation and space only matter between letters or digits."""
    if not (found["before"] and found["after"]):
        return found["before"]
    return found["before"] + (" " if found["loose"].isspace() else found["loose"])
