"""The hub as a whole: what is opened is closed, in order and once."""

from pathlib import Path

import pytest
from aiohttp import web

from channels.h5.channel import H5
from config import load
from hub import app
from hub.__main__ import kinds
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
