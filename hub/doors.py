"""An inbox and a record for a channel that is only looked at: it takes nothing and remembers nothing."""

from collections.abc import Sequence

from hub.channel import Recorded, Ticket
from hub.errors import NotStored
from hub.message import Conversation, InboundMessage


class Shut:
    """Refuses every message."""

    async def accept(self, message: InboundMessage) -> Ticket:
        raise NotStored("nothing is taken while a channel is only looked at")

    async def find(self, conversation: Conversation, key: str) -> Ticket | None:
        return None

    async def withdraw(self, conversation: Conversation, key: str) -> None:
        return

    async def give_back(self, conversation: Conversation) -> None:
        return

    async def events(self, conversation: Conversation, *, after: int, limit: int = 200) -> Sequence[Recorded]:
        return []

    async def note(self, key: str) -> str | None:
        return None

    async def keep_note(self, key: str, value: str) -> None:
        return
