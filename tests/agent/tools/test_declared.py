"""Tools in hub.toml: refused at their path, their secrets known to the masks, examined by doctor."""

import asyncio
from pathlib import Path

import aiohttp
import pytest

from config import Config, load
from config.faults import Refused
from hub import doctor
from hub.__main__ import kinds, tools

GOOD = """
[agent.tools.order]
kind = "http"
description = "Says where an order is."
url = "http://127.0.0.1:1/orders/{number}"
private = true
headers = { Authorization = "env:SHOP_KEY" }
[agent.tools.order.parameters.number]
pattern = "[0-9]+"
[agent.tools.stock]
kind = "python"
function = "tests.agent.tools.functions.stock"
"""


def written(folder: Path, text: str) -> Config:
    (folder / "hub.toml").write_text(text, encoding="utf-8")
    return load(folder / "hub.toml", kinds(), tools())


def test_a_secret_of_a_tool_is_hidden_like_any_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "hush-hush-hush")

    assert "hush-hush-hush" in written(tmp_path, GOOD).secrets


def test_every_fault_is_told_with_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "hush-hush-hush")
    bad = GOOD.replace("{number}", "{nobody}").replace('"[0-9]+"', '"[0-9"').replace('"python"', '"cobol"')

    with pytest.raises(Refused) as refused:
        written(tmp_path, bad)

    assert [fault.path for fault in refused.value.faults] == [
        "agent.tools.order.parameters.number.pattern",
        "agent.tools.order.url",
        "agent.tools.stock.kind",
    ]


async def test_doctor_examines_each_tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_KEY", "hush-hush-hush")

    config = await asyncio.to_thread(written, tmp_path, GOOD)
    async with aiohttp.ClientSession() as http:
        found = [finding async for finding in doctor.tools(config, http)]
    told = {finding.setting: finding.ok for finding in found}

    assert told == {"agent.tools.order.url": False, "agent.tools.stock.function": True}
    assert "hush" not in str(found)
