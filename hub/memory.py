"""What the gateway asks of the room memory/ besides the journal: the person's own commands, and what is known of them.

The message that is being worked on is the only key: whose memory is read is decided by its verified sender,
never by its words.
"""

from collections.abc import Sequence
from typing import Protocol

from hub.journal import Stored
from hub.message import Conversation
from hub.person import Evidence
from hub.turn import Answer, Remembered


class Memory(Protocol):
    """Commands such as /link and /forget, facts, and the silence after a hand-over to people."""

    async def identify(self, stored: Stored, seen: Sequence[Evidence] = ()) -> Stored:
        """The same message, its person joined with whoever has the same evidence. `seen` came beside it."""
        ...

    async def answer(self, stored: Stored) -> Answer | None:
        """The answer to a command; one with an empty text says nothing; None: the agent answers."""
        ...

    async def recall(self, stored: Stored) -> tuple[Remembered, ...]:
        """What the agent may know of this message's person, where it was said."""
        ...

    async def offer(self, stored: Stored, answer: Answer) -> Answer:
        """The agent's answer as it is given: with a way to people where the agent did not know twice in a row."""
        ...

    async def give_back(self, conversation: Conversation) -> None:
        """People have finished in this conversation."""
        ...

    async def learn(self, stored: Stored, answer: Answer) -> None:
        """The turn is over: keeps what the person told, and hands over where the agent asks for that."""
        ...


class Forgetful:
    """No commands, and nothing is known."""

    async def identify(self, stored: Stored, seen: Sequence[Evidence] = ()) -> Stored:
        return stored

    async def answer(self, stored: Stored) -> Answer | None:
        return None

    async def recall(self, stored: Stored) -> tuple[Remembered, ...]:
        return ()

    async def offer(self, stored: Stored, answer: Answer) -> Answer:
        return answer

    async def give_back(self, conversation: Conversation) -> None:
        return None

    async def learn(self, stored: Stored, answer: Answer) -> None:
        return None
