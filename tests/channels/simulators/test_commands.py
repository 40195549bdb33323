"""Which platform is played for which channel."""

import argparse
import asyncio
import re
from pathlib import Path

import pytest

from channels.registry import KINDS, section
from channels.simulators import chat, commands, wechat_oa
from config import Config, Kinds, load
from hub.errors import ConfigError
from tests.channels.callback import serving

ACCOUNT = 'kind = "wechat_oa"\napp_id = "wx1"\napp_secret = "env:SIM_SECRET"\ntoken = "env:SIM_SECRET"\n'


def config(folder: Path, monkeypatch: pytest.MonkeyPatch, *names: str, more: str = "") -> Config:
    monkeypatch.setenv("SIM_SECRET", "a-secret")
    file = folder / "hub.toml"
    file.write_text("".join(f"[channels.{name}]\n{ACCOUNT}{more}" for name in names), encoding="utf-8")
    return load(file, {kind: lambda kind=kind: section(kind) for kind in KINDS})  # type: ignore[misc]  # a closure


def test_the_only_channel_of_a_kind_needs_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert commands.named(config(tmp_path, monkeypatch, "oa"), "wechat_oa") == "oa"
    assert commands.named(config(tmp_path, monkeypatch, "a", "b"), "wechat_oa", "b") == "b"


def test_what_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two = config(tmp_path, monkeypatch, "a", "b")
    for kind, name, text in [
        ("wechat_oa", "", "2 channels of kind wechat_oa: name one with --channel"),
        ("wechat_oa", "c", "no channel 'c' of kind wechat_oa; it has a, b"),
        ("wecom", "", "no channel of kind wecom. To try it without an account, add this to the file"),
    ]:
        with pytest.raises(ConfigError, match=text):
            commands.named(two, kind, name)


def test_a_hub_that_would_call_the_real_platform_is_told_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    args, here = argparse.Namespace(kind="wechat_oa", channel=""), config(tmp_path, monkeypatch, "oa")
    assert commands.find("wechat_oa") is wechat_oa.play

    assert asyncio.run(commands.run(args, here)) == 2
    assert 'write api_base = "http://127.0.0.1:9001" under [channels.oa]' in capsys.readouterr().err


def test_the_callback_of_a_hub_that_listens_everywhere_is_called_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = config(tmp_path, monkeypatch, "oa", more='\n[hub]\nhost = "0.0.0.0"\nport = 9\n')

    assert chat.callback(here, "oa") == "http://127.0.0.1:9/channels/oa"


@pytest.mark.parametrize("kind", KINDS)
def test_what_somebody_without_an_account_is_told_to_write_is_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("")
    kinds: Kinds = {kind: lambda: section(kind)}
    with pytest.raises(ConfigError) as told:
        commands.named(load(file, kinds), kind)
    said = str(told.value)
    for name, value in re.findall(r"(\w+)=(\S+)", said.partition("export")[2]):
        monkeypatch.setenv(name, value)
    file.write_text(said.partition("\n\n")[2].partition("\n\n")[0])
    written = load(file, kinds)

    name = commands.named(written, kind)
    assert [fault for fault in written.warnings if fault.path.startswith("channels") and kind != "h5"] == []
    if kind != "h5":
        assert chat.place(written.channels[name].api_base, name) == ("127.0.0.1", 9001)  # type: ignore[attr-defined]


async def test_somebody_whose_hub_does_not_run_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    here = config(tmp_path, monkeypatch, "oa", more=f"\n[hub]\nport = {unused_tcp_port}\n")
    await chat.look(here)
    away = capsys.readouterr().out
    async with serving([], port=unused_tcp_port):
        await chat.look(here)

    assert f"No hub answers at http://127.0.0.1:{unused_tcp_port}" in away
    assert capsys.readouterr().out == ""


async def test_a_platform_that_is_played_already_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], unused_tcp_port: int
) -> None:
    here = config(tmp_path, monkeypatch, "oa", more=f'api_base = "http://127.0.0.1:{unused_tcp_port}"\n')
    async with serving([], port=unused_tcp_port):
        status = await commands.run(argparse.Namespace(kind="wechat_oa", channel=""), here)

    assert status == 1
    assert "write another port into the channel's section" in capsys.readouterr().err


def test_every_kind_can_be_named(tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    commands.arguments(parser)

    assert {kind: parser.parse_args([kind]).kind for kind in KINDS} == {kind: kind for kind in KINDS}
