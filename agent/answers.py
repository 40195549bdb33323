"""Answers given before, for the same question, as long as the knowledge has not changed.

Only the same words count, apart from case, width, punctuation and courtesy: in one narrow business questions that look
alike mean different things (measured on bank and payment questions: no similarity of vectors reaches 95 % precision).
What was said with somebody's history or memory in view, or with a tool, is never kept.

An answer may repeat what was asked, so it is kept sealed with a key that is made of the question: whoever asks the same
reads it, and nobody else does, in this process's memory or in Redis.
"""

import hashlib
import os
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import replace

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import TypeAdapter

from agent.question import normal
from hub.coordination import Cache
from hub.person import Language
from hub.turn import Answer, Turn, Usage

WRITTEN = TypeAdapter(Answer)
NONCE = 12
"""Bytes, new for each answer."""


class Answers:
    """Keeps answers for so many seconds; 0 keeps none. `made_by` names whatever else an answer depends on."""

    def __init__(self, cache: Cache, seconds: float, made_by: str = "") -> None:
        self._cache = cache
        self._seconds = seconds
        self._made_by = made_by

    def key(self, turn: Turn, version: int, language: Language) -> str:
        """With what the answer may be kept; "" when it is about this person, or nothing is kept at all."""
        if not self._seconds or turn.history or turn.memory or turn.attachments:
            return ""
        said = "\0".join((self._made_by, str(version), language, normal(turn.text)))
        return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()

    async def get(self, key: str) -> Answer | None:
        """The answer that was kept, as one that cost nothing."""
        kept = await self._cache.get(_name(key))
        with suppress(ValueError, InvalidTag):
            return replace(WRITTEN.validate_json(_opened(key, kept)), usage=Usage()) if kept else None
        return None

    async def put(self, key: str, answer: Answer) -> None:
        """Keeps an answer."""
        await self._cache.put(_name(key), _sealed(key, WRITTEN.dump_json(answer)), seconds=self._seconds)


def _name(key: str) -> str:
    """Under what it stands: from it nobody comes to the key."""
    return f"answer:{hashlib.sha256(f'name {key}'.encode()).hexdigest()}"


def _cipher(key: str) -> AESGCM:
    return AESGCM(hashlib.sha256(f"seal {key}".encode()).digest())


def _sealed(key: str, plain: bytes) -> str:
    nonce = os.urandom(NONCE)
    return b64encode(nonce + _cipher(key).encrypt(nonce, plain, None)).decode()


def _opened(key: str, sealed: str) -> bytes:
    data = b64decode(sealed)
    return _cipher(key).decrypt(data[:NONCE], data[NONCE:], None)
