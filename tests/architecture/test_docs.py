"""Nothing undocumented, nothing documented that is not so: the READMEs, hub.toml and the CHANGELOG against the code."""

import argparse
import importlib
import json
import re
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import get_type_hints

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from agent.tools import registry
from agent.tools.parameters import Parameter
from agent.tools.tool import ToolSection
from channels.registry import KINDS, section
from config import Config, Kinds, Secret, load
from config.faults import keys
from config.file import SINGLE
from hub.__main__ import COMMANDS
from hub.observe import new_metrics
from tests.architecture.source import ROOT

READMES = ("README.md", "README.zh-CN.md")
ROW = re.compile(r"^\| `(?P<key>[a-z_]+)` \| (?P<default>.*?) \|", re.MULTILINE)
BLOCK = re.compile(r"```toml\n(.*?)```", re.DOTALL)
HEADING = re.compile(r"^(#+) (.*)$", re.MULTILINE)


def sections_within(model: type[BaseModel], path: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """A section, and the sections inside it that have a table of their own."""
    yield f"[{path}]", model
    for key, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from sections_within(type(field.default), f"{path}.{key}")


CORE = {name: model for single in SINGLE for name, model in sections_within(get_type_hints(Config)[single], single)}
SPELLED = {"HUB_DATABASE": "postgresql://db/hub", "HUB_REDIS": "redis://cache", "HUB_RABBITMQ": "amqp://bus"}
ANY_SECRET = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
"""43 characters, as platforms make their AES keys."""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def under(text: str, name: str) -> str:
    """What stands below the heading that names a section or a kind in backticks, down to the next heading."""
    found = [match for match in HEADING.finditer(text) if f"`{name}`" in match[2]]
    assert len(found) == 1, f"one heading names `{name}`"
    rest = text[found[0].end() :]
    following = HEADING.search(rest)
    return rest[: following.start()] if following else rest


def rows(text: str) -> dict[str, str]:
    """The settings of a table with their defaults."""
    return {match["key"]: match["default"].replace("必填", "required") for match in ROW.finditer(text)}


def documented(model: type[BaseModel]) -> dict[str, str]:
    """The settings of a section as a table must show them."""
    return {key: shown(field) for key, field in keys(model).items() if key != "kind" and not inner(field)}


def inner(field: FieldInfo) -> bool:
    """A section inside a section has a table of its own."""
    return isinstance(field.default, BaseModel)


def shown(field: FieldInfo) -> str:
    """A default as it would be written in hub.toml; — for a setting that may be left out and then is nothing."""
    if field.is_required():
        return "required"
    if field.default is None:
        return "—"
    return f"`{toml(field.get_default(call_default_factory=True))}`"


def toml(value: object) -> str:
    match value:
        case tuple():
            return "[" + ", ".join(toml(item) for item in value) + "]"
        case Secret():
            return '""'
        case str() | Path():
            return json.dumps(str(value), ensure_ascii=False)
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return json.dumps(value)


def loaded(text: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """The text as a configuration whose secrets are all there."""
    for name in re.findall(r'"env:(\w+)"', text):
        monkeypatch.setenv(name, SPELLED.get(name, ANY_SECRET))
    (place / "hub.toml").write_text(text, encoding="utf-8")
    return load(place / "hub.toml", kinds(), TOOLS)


def kinds() -> Kinds:
    return {kind: partial(section, kind) for kind in KINDS}


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("name", CORE)
def test_every_setting_of_the_hub_is_documented_with_its_default(readme: str, name: str) -> None:
    assert rows(under(read(readme), name)) == documented(CORE[name])


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_of_a_channel_is_documented_with_its_default(readme: str, kind: str) -> None:
    assert rows(under(read(readme), kind)) == documented(section(kind))


TOOLS: Kinds = {kind: partial(registry.section, kind) for kind in registry.KINDS}
ABOVE: dict[str, type[BaseModel]] = {"agent.tools.NAME": ToolSection, "agent.tools.NAME.parameters.NAME": Parameter}


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("name", ABOVE)
def test_every_setting_of_all_tools_is_documented_with_its_default(readme: str, name: str) -> None:
    assert rows(under(read(readme), f"[{name}]")) == documented(ABOVE[name])


@pytest.mark.parametrize("readme", READMES)
@pytest.mark.parametrize("kind", TOOLS)
def test_every_setting_of_a_kind_of_tool_is_documented_with_its_default(readme: str, kind: str) -> None:
    common = documented(ToolSection)
    own = {key: told for key, told in documented(TOOLS[kind]()).items() if common.get(key) != told}

    assert rows(under(read(readme), kind)) == own


def options() -> Iterator[str]:
    """What can be typed behind `python -m hub`."""
    for name, (module, _) in COMMANDS.items():
        yield f"python -m hub {name}"
        declare = getattr(importlib.import_module(module), "arguments", None)
        if declare and name not in ("serve", "check"):
            parser = argparse.ArgumentParser()
            declare(parser)
            yield from words(parser)


def words(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, inner_parser in action.choices.items():
                yield name
                yield from words(inner_parser)
        yield from (option for option in action.option_strings if option.startswith("--") and option != "--help")


@pytest.mark.parametrize("readme", READMES)
def test_every_command_is_documented(readme: str) -> None:
    text = read(readme)
    targets = [f"make {name}" for name in re.findall(r"^([a-z]+):.*##", read("Makefile"), re.MULTILINE)]

    assert [word for word in (*targets, *options()) if word not in text] == []


@pytest.mark.parametrize("readme", READMES)
def test_every_metric_is_documented(readme: str) -> None:
    text = read(readme)
    names = [metric.name for metric in new_metrics().registry.collect() if metric.name.startswith("hub_")]

    assert [name for name in names if f"`{name}" not in text] == []


def test_both_readmes_have_the_same_order() -> None:
    levels = [
        [(len(match[1]), *re.findall(r"`.*?`", match[2])) for match in HEADING.finditer(read(r))] for r in READMES
    ]

    assert levels[0] == levels[1]


@pytest.mark.parametrize("readme", READMES)
def test_no_link_leads_nowhere(readme: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", read(readme))

    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("readme", READMES)
def test_every_configuration_in_a_readme_is_taken(readme: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = BLOCK.findall(read(readme))

    assert len(blocks) >= len(KINDS)
    for block in blocks:
        loaded(block, tmp_path, monkeypatch)


def test_the_configuration_that_comes_along_is_taken_and_needs_nothing() -> None:
    config = load(ROOT / "hub.toml", kinds(), TOOLS)

    assert (config.hub.host, config.hub.port, config.agent.model.provider) == ("127.0.0.1", 8080, "none")
    assert config.warnings == ()


def test_what_it_holds_as_comments_is_taken_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = read("hub.toml").replace('provider = "none"', "", 1)
    config = loaded(re.sub(r"(?m)^# (?=\[|[a-z_]+ = )", "", text), tmp_path, monkeypatch)

    assert sorted(channel.kind for channel in config.channels.values()) == sorted(KINDS)


def test_the_changelog_begins_with_the_version_that_this_is() -> None:
    version = tomllib.loads(read("pyproject.toml"))["project"]["version"]

    assert re.findall(r"^## \[(.*?)\]", read("CHANGELOG.md"), re.MULTILINE)[0] == version
