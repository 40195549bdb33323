"""A web page at the terminal: what is typed reaches the hub, and answers grow before the person's eyes."""

import asyncio
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest

from channels.registry import KINDS, section
from channels.simulators import chat, h5
from config import load as read
from hub.errors import ConfigError
from tests.channels.h5.desk import CITED, SECRET, Desk, site

TOML = """[hub]
port = {port}
[channels.web]
kind = "h5"
allowed_origins = ["https://shop.example"]
identity_secret = "env:PLAY_IDENTITY"
[channels.other]
kind = "wecom_bot"
bot_id = "b"
secret = "env:PLAY_IDENTITY"
transport = "websocket"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLAY_IDENTITY", SECRET)
    return tmp_path


async def played(
    folder: Path, base: str, lines: Sequence[str], monkeypatch: pytest.MonkeyPatch, *, name: str = "web"
) -> None:
    """Types the lines, each after the answer to the one before."""
    file = folder / "hub.toml"
    file.write_text(TOML.format(port=base.split(":")[2].partition("/")[0]), encoding="utf-8")
    config = read(file, {kind: partial(section, kind) for kind in KINDS})

    async def converse(say: chat.Say) -> None:
        for line in lines:
            await say(line)

    monkeypatch.setattr(chat, "converse", converse)
    async with asyncio.timeout(20):
        await h5.play(config, name)


async def test_answers_grow_and_end_with_their_sources(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async with site() as (desk, base):
        desk.answers |= {"慢慢说": ["从前", "有座山。"], "运费？": CITED}
        await played(folder, base, ["慢慢说", "运费？"], monkeypatch)
    shown = capsys.readouterr().out

    assert "◀ 从前有座山。\n" in shown
    assert "◀ 满 **99 元**免运费[1]。\n" in shown
    assert "[1] 配送说明 /docs/shipping" in shown
    assert "满九十九元免运费，否则运费为八元。" in shown


async def test_a_person_may_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site() as (desk, base):
        await played(folder, base, ["我是谁", "/as alice", "现在呢", "/as", "又是谁"], monkeypatch)
    users = [message.sender.user for message in desk.said]

    assert users[1] == "sub:alice"
    assert users[0] != users[2]


async def test_what_is_not_stored_is_told(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    desk = Desk()
    async with site(desk, text_characters=5) as (_, base):
        await played(folder, base, ["这句话太长了"], monkeypatch)

    assert "内容太长了" in capsys.readouterr().out


async def test_a_channel_of_another_kind_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="no h5 channel"):
        await played(folder, "http://127.0.0.1:1/", [], monkeypatch, name="other")
