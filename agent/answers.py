"""Answers given before, for the same question, as long as the knowledge has not changed.

Only the same words count, apart from case, width, punctuation and courtesy: in one narrow business questions that look
alike mean different things (measured on bank and payment questions: no similarity of vectors reaches 95 % precision).
What was said with somebody's history or memory in view, or with a tool, is never kept.
"""

import hashlib
from contextlib import suppress
from dataclasses import replace

from pydantic import TypeAdapter, ValidationError

from agent.question import normal
from hub.coordination import Cache
from hub.person import Language
from hub.turn import Answer, Turn, Usage

WRITTEN = TypeAdapter(Answer)


class Answers:
    """Keeps answers for so many seconds; 0 keeps none. `made_by` names whatever else an answer depends on."""

    def __init__(self, cache: Cache, seconds: float, made_by: str = "") -> None:
        self._cache = cache
        self._seconds = seconds
        self._made_by = made_by

    def key(self, turn: Turn, version: int, language: Language) -> str:
        """Under what the answer may be kept; "" when it is about this person, or nothing is kept at all."""
        if not self._seconds or turn.history or turn.memory or turn.attachments:
            return ""
        said = "\0".join((self._made_by, str(version), language, normal(turn.text)))
        return f"answer:{hashlib.sha256(said.encode('utf-8', 'replace')).hexdigest()}"

    async def get(self, key: str) -> Answer | None:
        """The answer that was kept, as one that cost nothing."""
        kept = await self._cache.get(key)
        with suppress(ValidationError):
            return replace(WRITTEN.validate_json(kept), usage=Usage()) if kept else None
        return None

    async def put(self, key: str, answer: Answer) -> None:
        """Keeps an answer."""
        await self._cache.put(key, WRITTEN.dump_json(answer).decode(), seconds=self._seconds)
