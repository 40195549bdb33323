"""A process that is killed anywhere between a question and the outcome of its yes: done once, never before it."""

import json
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from hub.texts import texts
from tests.architecture.source import ROOT
from tests.hub.stage import migrated

SAYS = texts("zh").confirm
PROMISED = "发票：已申请"


@pytest.fixture(scope="module")
def clerk() -> Iterator[subprocess.Popen[str]]:
    command = (sys.executable, "-m", "tests.agent.tools.clerk")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        yield process
        process.terminate()


@dataclass
class Counter:
    """Where messages are answered, each by a process of its own."""

    folder: Path
    clerk: subprocess.Popen[str]

    def says(self, words: str, *, effect: str = "repeats", point: str = "") -> str:
        """The answer to a message, by a process that is killed at this point; "" then."""
        assert self.clerk.stdin
        assert self.clerk.stdout
        job = {"folder": str(self.folder), "words": words, "effect": effect, "point": point}
        self.clerk.stdin.write(json.dumps(job) + "\n")
        self.clerk.stdin.flush()
        status, told = json.loads(self.clerk.stdout.readline())
        assert status == (-9 if point else 0)
        return str(told)

    @property
    def invoices(self) -> int:
        """Requests that the order system took."""
        with closing(sqlite3.connect(self.folder / "orders.db")) as connection:
            return int(connection.execute("SELECT count(*) FROM requests").fetchone()[0])


@pytest.fixture
def counter(tmp_path: Path, clerk: subprocess.Popen[str]) -> Counter:
    migrated(tmp_path)
    return Counter(tmp_path, clerk)


@pytest.mark.parametrize("point", ["asked", "told"])
def test_a_question_that_was_cut_off_is_asked_again_and_nothing_is_done(counter: Counter, point: str) -> None:
    counter.says("请补开", point=point)

    assert counter.says("请补开").startswith("请确认")
    assert counter.invoices == 0


@pytest.mark.parametrize("point", ["heard", "begun", "acted", "told"])
def test_a_yes_that_was_cut_off_is_carried_out_once(counter: Counter, point: str) -> None:
    counter.says("请补开")
    counter.says("Y", point=point)

    assert counter.says("Y") == PROMISED
    assert counter.says("是") == SAYS.done
    assert counter.invoices == 1


@pytest.mark.parametrize(("point", "count"), [("begun", 0), ("acted", 1)])
def test_what_may_not_be_repeated_is_told_as_unknown_and_left_alone(counter: Counter, point: str, count: int) -> None:
    counter.says("请补开", effect="acts")
    counter.says("Y", effect="acts", point=point)

    assert counter.says("Y", effect="acts") == texts("zh").tools.unsure
    assert counter.invoices == count


def test_a_no_leaves_everything_as_it_is(counter: Counter) -> None:
    counter.says("请补开")

    assert counter.says("取消") == SAYS.declined
    assert counter.says("Y") == SAYS.done
    assert counter.invoices == 0
