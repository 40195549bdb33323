"""`hub answers` in processes of its own, as an operator starts it."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture.source import ROOT

HUB = """
[hub]
data_dir = "data"
[knowledge]
sources = []
embedding = "none"
[channels.web]
kind = "h5"
allowed_origins = ["https://shop.example"]
"""


@dataclass(frozen=True)
class Run:
    """What a command left."""

    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "hub.toml").write_text(HUB, encoding="utf-8")
    return tmp_path


async def hub(folder: Path, *words: str) -> Run:
    command = [sys.executable, "-m", "hub", "answers", *words, "--config", str(folder / "hub.toml")]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate()
    return Run(process.returncode or 0, out.decode(), err.decode())


async def test_answers_are_imported_listed_exported_and_removed(folder: Path) -> None:
    sheet = folder / "answers.csv"
    sheet.write_bytes(
        "问题,答案,来源,链接\n几点开门,九点。,公告,https://shop.example/a\n满多少包邮,99 元。\n".encode("gb18030")
    )
    brought = await hub(folder, "import", str(sheet))
    added = await hub(folder, "add", "请问几点开门？", "十点。")
    listed = await hub(folder, "list")
    removed = await hub(folder, "remove", "1")
    exported = await hub(folder, "export")
    written = await hub(folder, "export", str(folder / "all.csv"))

    assert [brought.out, added.out] == ["2 approved, 0 replaced\n", "0 approved, 1 replaced\n"]
    assert listed.out.splitlines() == ["1  请问几点开门？  →  十点。", "2  满多少包邮  →  99 元。"]
    assert (removed.status, removed.out) == (0, "1 is withdrawn\n")
    assert exported.out.splitlines() == ["question,answer,source,url", "满多少包邮,99 元。,,"]
    assert (written.status, (folder / "all.csv").read_bytes().decode("utf-8-sig")) == (0, exported.out)


async def test_a_faulty_file_brings_nothing(folder: Path) -> None:
    sheet = folder / "answers.csv"
    sheet.write_text("question,answer\n几点开门,九点\n,没有问题\n", encoding="utf-8")
    brought = await hub(folder, "import", str(sheet))
    listed = await hub(folder, "list")

    assert (brought.status, brought.err.splitlines()) == (
        1,
        [f"{sheet}: line 3: question is empty", "nothing was imported"],
    )
    assert listed.out == ""


async def test_what_can_t_be_done_is_said_in_a_line(folder: Path) -> None:
    runs = [
        await hub(folder, "import", str(folder / "none.csv")),
        await hub(folder, "add", " ", "答"),
        await hub(folder, "remove", "7"),
    ]

    assert [run.status for run in runs] == [1, 1, 1]
    assert [run.err.splitlines()[0].split(": ")[-1] for run in runs] == [
        "No such file or directory",
        "question is empty",
        "there is no such answer; `answers list` names them",
    ]
