"""The hub as a whole: what is opened is closed, in order and once."""

import asyncio
import socket
import sys
from pathlib import Path

import pytest
from aiohttp import web

from channels.h5.channel import H5
from config import load
from hub import app
from hub.__main__ import COMMANDS, kinds, main
from tests.channels.callback import serving

CONFIG = """
[hub]
port = {port}
[knowledge]
sources = []
embedding = "none"
[channels.web]
kind = "h5"
allowed_origins = ["https://shop.example.com"]
"""


@pytest.mark.parametrize("served", [True, False], ids=["served", "only opened"])
async def test_a_channel_is_closed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int, *, served: bool
) -> None:
    closed, close = [], H5.close

    async def counted(self: H5) -> None:
        closed.append(self.name)
        await close(self)

    monkeypatch.setattr(H5, "close", counted)
    file = tmp_path / "hub.toml"
    file.write_text(CONFIG.format(port=unused_tcp_port))
    async with app.open_hub(load(file, kinds())) as hub:
        if served:
            async with app._listening(hub):
                assert closed == []

    assert closed == ["web"]


async def test_passwords_of_the_machine_go_to_no_platform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".netrc").write_text("default login operator password secret\n")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    came: list[str | None] = []

    async def answer(request: web.Request) -> web.Response:
        came.append(request.headers.get("Authorization"))
        return web.Response()

    async with serving([web.get("/", answer)]) as url, app._session() as http:
        for headers in ({}, {"Authorization": "Bearer token"}):
            await http.get(url, headers=headers)

    assert came == [None, "Bearer token"]


async def test_a_port_that_is_taken_is_told_with_what_to_do(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (tmp_path / "hub.toml").write_text(CONFIG.format(port=port))
        command = ("-m", "hub", "serve", "--config", str(tmp_path / "hub.toml"))
        hub = await asyncio.create_subprocess_exec(sys.executable, *command, stderr=asyncio.subprocess.PIPE)
        async with asyncio.timeout(60):
            _, said = await hub.communicate()

    assert hub.returncode == 1
    assert f"127.0.0.1:{port}".encode() in said
    assert b"write another port under [hub]" in said


def test_without_a_command_all_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    status = main([])
    said = capsys.readouterr().err

    assert status == 2
    assert [name for name in COMMANDS if name not in said] == []
