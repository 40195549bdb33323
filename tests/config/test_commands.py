"""`check`: exit status and what is said where."""

from pathlib import Path

import pytest

from config.commands import check, read


def test_a_right_configuration_ends_with_0_and_says_its_warnings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "knowledge").mkdir()
    file = tmp_path / "hub.toml"
    file.write_text("", encoding="utf-8")

    status = check(file, {})

    assert status == 0
    assert capsys.readouterr() == (
        f"{file}: no fault; channels: none\n",
        "warning: channels: none is configured, so nobody can ask anything\n",
    )


def test_a_configuration_with_faults_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "hub.toml"
    file.write_text("[hub]\nport = 0\n", encoding="utf-8")

    status = check(file, {})

    assert status == 2
    assert capsys.readouterr() == ("", f"{file}: 1 fault\n  hub.port: must be greater than or equal to 1\n")


def test_a_file_that_is_not_there_gives_no_configuration(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = read(tmp_path / "hub.toml", {})

    assert config is None
    assert "can't be read" in capsys.readouterr().err
