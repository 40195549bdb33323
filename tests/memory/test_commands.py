"""`python -m hub person …` beside a hub that runs: what an operator may see and decide of one person."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.__main__ import main
from hub.message import Conversation, InboundMessage, Text
from hub.person import Identity
from memory.journal import SqlJournal
from tests.databases import Database, empty
from tests.memory.world import World

Shell = Callable[..., tuple[int, str]]


@pytest.fixture
def person(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shell:
    """Runs the command on somebody who told two facts; its exit status and what it printed."""
    (tmp_path / "hub.toml").write_text('[hub]\ndata_dir = "."\n[knowledge]\nsources = []\n')
    database = empty("sqlite", tmp_path)

    async def told() -> None:
        async with database.opened() as store:
            world = World(store)
            for words in ("我住在杭州", "我对花生过敏", "转人工"):
                await world.say("oa:lin", words)

    asyncio.run(told())

    def run(verb: str, *rest: str) -> tuple[int, str]:
        status = main(["person", verb, "oa:oa:lin", *rest, "--config", str(tmp_path / "hub.toml")])
        return status, capsys.readouterr().out

    return run


def test_facts_are_numbered_pinned_and_forbidden(person: Shell) -> None:
    assert person("facts")[1].startswith("1. 对花生过敏 (oa, ")
    assert person("pin", "2")[0] == 0
    assert person("facts")[1].startswith("1. 住在杭州 (oa, ")
    assert person("unpin", "1")[0] == 0
    assert person("forbid", "1")[0] == 0
    assert person("facts")[1].splitlines()[1:] == ["not remembered: 花生"]


def test_a_word_is_forbidden_and_allowed_again(person: Shell) -> None:
    assert person("forbid", "杭州")[0] == 0
    assert "住在杭州" not in person("facts")[1]
    assert person("allow")[0] == 0
    assert "not remembered" not in person("facts")[1]
    assert person("allow")[0] == 1


def test_a_number_that_is_not_there_is_refused(person: Shell) -> None:
    assert [person(verb, "9")[0] for verb in ("pin", "unpin", "forbid")] == [1, 1, 1]


def test_a_conversation_is_given_back_to_the_agent_once(person: Shell) -> None:
    assert person("return") == (0, "the agent answers again\n")
    assert person("return") == (1, "no conversation of theirs is with people\n")


def meet_another(folder: Path) -> None:
    """Another account of the channel knows the same id."""

    async def another() -> None:
        async with Database("", folder).opened() as store:
            place, sender = Conversation("oa", "other", "oa:lin"), Identity("oa", "other", "oa:lin")
            await SqlJournal(store).accept(InboundMessage("k", place, sender, (Text("你好"),)), now=datetime.now(UTC))

    asyncio.run(another())


def test_either_side_of_a_link_is_named_with_its_account_where_two_know_the_id(person: Shell, tmp_path: Path) -> None:
    meet_another(tmp_path)
    status, said = person("link", "oa:oa:lin", "--account", "acc")
    assert (status, "--other-account, one of: acc, other" in said) == (1, True)
    assert person("link", "oa:oa:lin", "--account", "acc", "--other-account", "acc")[0] == 1
    assert person("link", "oa:oa:lin", "--account", "acc", "--other-account", "other") == (0, "linked\n")
    assert "account acc" in (shown := person("show")[1])
    assert "account other" in shown
    assert person("unlink", "--account", "acc")[0] == 0
    assert person("show")[0] == 1


def test_whoever_looks_at_somebody_stands_in_the_audit_log(
    person: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for verb in ("show", "facts", "export"):
        assert person(verb)[0] == 0
    assert main(["audit", "list", "--config", str(tmp_path / "hub.toml")]) == 0
    rows = [line.split(maxsplit=3)[3] for line in capsys.readouterr().out.splitlines()]

    assert rows == [f"operator: {act} person 1 " for act in ("show", "show", "export")]


def test_where_the_files_still_hold_what_was_erased_the_operator_is_told(
    person: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("memory.store.sqlite.BUSY_SECONDS", 0.1)
    monkeypatch.setattr("memory.store.sqlite.EMPTIED", 2)
    with contextlib.closing(sqlite3.connect(tmp_path / "hub.db", isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM messages").fetchone()
        status, said = person("erase", "--yes")
    assert (status, "the database's files hold bytes of it" in said) == (0, True)


def test_where_two_accounts_know_an_id_nobody_is_shown_or_erased_by_guess(person: Shell, tmp_path: Path) -> None:
    meet_another(tmp_path)
    status, said = person("erase", "--yes")
    assert (status, "acc, other" in said) == (1, True)
    assert person("erase", "--yes", "--account", "other") == (0, "erased\n")
    assert "杭州" in person("facts")[1]


def test_the_audit_log_is_whole_up_to_a_digest_that_was_noted(
    person: Shell, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def verify(*rest: str) -> tuple[int, str]:
        status = main(["audit", "verify", *rest, "--config", str(tmp_path / "hub.toml")])
        return status, capsys.readouterr().out

    assert person("pin", "1")[0] == 0
    status, said = verify()
    assert (status, said.startswith("the audit log is whole: ")) == (0, True)
    assert verify("--holds", said.split()[-1]) == (0, said)
    assert verify("--holds", "f" * 64)[0] == 1
