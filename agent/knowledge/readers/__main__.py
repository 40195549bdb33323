"""`python -m agent.knowledge.readers`: a line of JSON in for each file to read, a line out with what is in it."""

import json
import resource
import signal
import sys
from pathlib import Path

from agent.knowledge.readers import NotRead, read

MEMORY = 2 * 2**30
"""Bytes of addresses that a parser may use."""


def answer(question: dict[str, object]) -> dict[str, object]:
    """The digest and the parts of a file, or why it was not read."""
    try:
        found = read(Path(str(question["path"])), known=str(question["known"]), most=int(str(question["most"])))
    except NotRead as error:
        return {"error": str(error)}
    if found.reading is None:
        return {"digest": found.digest}
    parts = [[part.text, part.anchor, part.form] for part in found.reading.parts]
    return {"digest": found.digest, "title": found.reading.title, "url": found.reading.url, "parts": parts}


def main() -> None:
    """Until standard input ends. Whoever started us also ends us: signals of a terminal are theirs."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
