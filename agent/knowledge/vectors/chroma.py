"""Vectors in Chroma: inside a folder, or on a Chroma server.

Only keys and vectors are kept there. `embedding_function=None` everywhere: Chroma's default one downloads a model
when it is first used. https://docs.trychroma.com/docs/embeddings/embedding-functions
"""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import chromadb
import numpy as np
from chromadb.api import ClientAPI
from chromadb.config import Settings

from agent.knowledge.vectors.embedders import Matrix

BATCH = 1000


def client(store: str, folder: Path) -> ClientAPI:
    """A Chroma client that tells nobody anything."""
    if not store:
        return chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
    place = urlsplit(store)
    secure = place.scheme == "https"
    return chromadb.HttpClient(
        place.hostname or "",
        place.port or (443 if secure else 80),
        ssl=secure,
        settings=Settings(anonymized_telemetry=False),
    )


class Store:
    """The vectors of one model. All methods may block; calls from several threads are fine."""

    def __init__(self, chroma: ClientAPI, name: str) -> None:
        # a name has letters, digits, ".", "_" and "-" only, begins and ends with a letter or digit
        self._vectors = chroma.get_or_create_collection(
            re.sub(r"[^a-zA-Z0-9._-]+", "-", f"passages-{name}")[:500].rstrip("._-"),
            embedding_function=None,
            metadata={"hnsw:space": "cosine"},
        )

    def keys(self) -> set[str]:
        """Of all passages that have a vector."""
        return set(self._vectors.get(include=[])["ids"])

    def put(self, keys: Sequence[str], vectors: Matrix) -> None:
        """Stores them; what was there under the same key is replaced."""
        self._vectors.upsert(ids=list(keys), embeddings=vectors)

    def drop(self, keys: Sequence[str]) -> None:
        """Forgets them; unknown keys are fine."""
        for batch in _batches(keys):
            self._vectors.delete(ids=batch)

    def nearest(self, vector: Matrix, limit: int) -> dict[str, float]:
        """The closest passages with their cosines."""
        found = self._vectors.query(query_embeddings=vector[np.newaxis], n_results=limit, include=["distances"])
        distances = found["distances"]
        return {key: 1.0 - far for key, far in zip(found["ids"][0], distances[0] if distances else [], strict=True)}

    def cosines(self, vector: Matrix, keys: Sequence[str]) -> dict[str, float]:
        """Those of these passages that have a vector."""
        if not keys:
            return {}
        found = self._vectors.get(ids=list(keys), include=["embeddings"])
        rows = found["embeddings"]
        if rows is None or not found["ids"]:
            return {}
        return dict(zip(found["ids"], (np.asarray(rows, np.float32) @ vector).tolist(), strict=True))


def _batches(keys: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), BATCH):
        yield list(keys[start : start + BATCH])
