"""A setting that nobody reads would be a promise that is not kept."""

import re

import pytest
from pydantic import BaseModel

from channels.registry import KINDS, section
from config.faults import keys
from tests.architecture.source import ROOT, modules
from tests.architecture.test_docs import CORE

READ = {name for path in modules() for name in re.findall(r"\.([a-z_]+)\b", (ROOT / path).read_text(encoding="utf-8"))}
"""Every attribute that some module reads."""


def unread(model: type[BaseModel]) -> list[str]:
    return [key for key in keys(model) if key not in READ]


@pytest.mark.parametrize("name", CORE)
def test_every_setting_of_the_hub_is_read(name: str) -> None:
    assert unread(CORE[name]) == []


@pytest.mark.parametrize("kind", KINDS)
def test_every_setting_of_a_channel_is_read(kind: str) -> None:
    assert unread(section(kind)) == []
