"""The project speaks of itself alone: no place where it was made, no registry, nobody's ticket numbers."""

import re

from tests.architecture.source import ROOT, texts

HOSTS = ("py" + "pi.org", "python" + "hosted.org", "npm" + "js.org", "npm" + "js.com", "crates" + ".io")
PLACES = (
    "/wo" + "rk/",
    "/home" + "/",
    "accept" + "ance kit",
    "accept" + "_all",
    "co-authored" + "-by",
    "generated " + "with",
)
TICKET = re.compile(r"\b(?:issue|ticket|pr|pull request) ?#\d+|\bGH-\d+", re.IGNORECASE)


def test_nothing_names_a_place_that_is_not_the_reader_s() -> None:
    found = [
        f"{path}: {word}"
        for path in texts()
        for text in [(ROOT / path).read_text(encoding="utf-8", errors="replace").lower()]
        for word in (*HOSTS, *PLACES)
        if word in text
    ]

    assert found == []


def test_nothing_refers_to_a_ticket_that_a_reader_can_t_open() -> None:
    found = [
        f"{path}: {match[0]}"
        for path in texts()
        for match in TICKET.finditer((ROOT / path).read_text(encoding="utf-8", errors="replace"))
    ]

    assert found == []
