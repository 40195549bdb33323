"""The hub as a whole: what is opened is closed, in order and once."""

from pathlib import Path

import pytest

from channels.h5.channel import H5
from config import load
from hub import app
from hub.__main__ import kinds

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
