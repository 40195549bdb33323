"""The shell commands in processes of their own, as an operator starts them."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.agent.knowledge.library import MEMBERS, REFUNDS, SHIPPING
from tests.architecture.source import ROOT

HUB = """
[hub]
data_dir = "data"
[knowledge]
sources = ["knowledge"]
embedding = "none"
[channels.web]
kind = "h5"
"""


@dataclass(frozen=True)
class Run:
    """What a command left."""

    status: int
    out: str
    err: str


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "shipping.md").write_text(SHIPPING, encoding="utf-8")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "members.md").write_text(MEMBERS, encoding="utf-8")
    (tmp_path / "more" / "refunds.md").write_text(REFUNDS, encoding="utf-8")
    (tmp_path / "hub.toml").write_text(HUB, encoding="utf-8")
    return tmp_path


async def hub(folder: Path, *words: str, typed: str = "") -> Run:
    command = [sys.executable, "-m", "hub", "knowledge", *words, "--config", str(folder / "hub.toml")]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdin=PIPE, stdout=PIPE, stderr=PIPE)
    out, err = await process.communicate(typed.encode())
    return Run(process.returncode or 0, out.decode(), err.decode())


async def test_documents_are_added_listed_searched_and_removed(folder: Path) -> None:
    added = await hub(folder, "add", str(folder / "more"))

    assert (added.status, len(added.out.splitlines())) == (0, 2)

    asked = await hub(folder, "search", "-", "--json", "--limit", "1", typed="会员日是哪天\n满多少元免运费\n\nm1\n")
    found = [json.loads(line) for line in asked.out.splitlines()]

    assert [[hit["document"] for hit in hits] for hits in found] == [["会员日"], ["配送说明"], [], []]
    assert found[0][0]["passage"] == "会员日是每个月的第十七天，全场积分翻倍。"
    assert found[0][0]["source"] == str(folder / "more" / "members.md")
    assert found[0][0]["score"] > 0

    listed = (await hub(folder, "list")).out.splitlines()

    assert ["配送说明" in line for line in sorted(listed)].count(True) == 1

    ids = {name: line.split()[0] for line in listed for name in ("members", "shipping") if name in line}
    removed = await hub(folder, "remove", *ids.values())
    left = (await hub(folder, "list")).out

    assert removed.status == 0
    assert "when the file changes" in removed.out
    assert [name for name in ("members", "refunds", "shipping") if name in left] == ["refunds"]


async def test_what_can_t_be_done_is_said_in_a_line(folder: Path) -> None:
    (folder / "broken.pdf").write_bytes(b"%PDF-1.7 nonsense")
    runs = await asyncio.gather(
        hub(folder, "add", "/no/such/file"),
        hub(folder, "add", str(folder / "hub.toml")),
        hub(folder, "add", str(folder / "broken.pdf")),
        hub(folder, "remove", "nobody"),
    )

    assert [run.status for run in runs] == [1, 1, 1, 1]
    assert [run.err.splitlines()[-1].split(": ")[1] for run in runs] == [
        "is not there",
        "is none of .csv, .docx, .htm, .html, .markdown, .md, .pdf, .pptx, .tsv, .txt, .xlsm, .xlsx",
        "not a PDF",
        "there is no such document; `knowledge list` names them",
    ]
    assert not any("Traceback" in run.err for run in runs)


async def test_commands_side_by_side_do_no_harm(folder: Path) -> None:
    runs = await asyncio.gather(
        hub(folder, "add", str(folder / "more")),
        hub(folder, "add", str(folder / "more")),
        hub(folder, "search", "会员日", "--json"),
    )
    listed = (await hub(folder, "list")).out

    assert [run.status for run in runs] == [0, 0, 0]
    assert sorted(line.split()[1] for line in listed.splitlines()) == ["1", "1", "1"]
