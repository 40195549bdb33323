"""Search by meaning: the vectors of all passages, in a process of their own.

One process owns them (`owner.py`); the hub and the shell commands are its clients (`client.py`). Chroma wants one
owner for a path: a second process that opens it sees an old index and is told nothing. Besides, what the model and
Chroma need (200 MB, a second to import) is not in the hub, and there only while somebody needs it: the owner
starts with its first client and ends after its last.

The vectors are an index that can be made again from the passages at any time; nothing is kept only here.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

LONGEST_LINE = 64 * 2**20
"""Bytes of one request or answer between the owner and its clients."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What the owner needs to know. `folder` is its own; `store` the address of a Chroma server, "" = inside `folder`.

    `collection` tells apart whose vectors lie in a Chroma server. With `embedding` "openai" an endpoint makes the
    vectors: `url`, `model`, `key`.
    """

    folder: Path
    collection: str
    store: str = ""
    embedding: str = "builtin"
    model: str = ""
    url: str = ""
    key: str = ""
    timeout: float = 30.0

    def dumps(self) -> str:
        """As the owner reads it from its standard input, where no other user of the machine sees the key."""
        return json.dumps({**asdict(self), "folder": str(self.folder)})

    @classmethod
    def loads(cls, text: str) -> "Setup":
        """What `dumps` wrote."""
        values = json.loads(text)
        return cls(**{**values, "folder": Path(values["folder"])})

    @property
    def name(self) -> str:
        """The same for owners whose vectors can be compared."""
        return f"{self.embedding} {self.model}".strip()


@dataclass(frozen=True, slots=True)
class Address:
    """Where the owner listens, and the word by which it knows its clients; kept in a file that only its user reads."""

    port: int
    token: str
    name: str
    pid: int

    @classmethod
    def of(cls, folder: Path) -> "Address | None":
        """The address that stands in this folder, None when there is none."""
        try:
            return cls(**json.loads((folder / "owner.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
