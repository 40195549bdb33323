"""hub.toml: read, checked section by section, and refused with every fault at once.

This room knows no channel and no tool. Whoever reads the file says which kinds there are; the section of
a kind is asked for only when something of that kind is configured, so that nothing else is imported.
"""

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, RootModel, ValidationError

from config.faults import Fault, Refused, faults, nearest, one_of
from config.secret import Secret, password
from config.sections import (
    AgentSection,
    FilesSection,
    HubSection,
    KnowledgeSection,
    MemorySection,
    OperatorsSection,
    QueueSection,
    SharedSection,
    StorageSection,
)
from config.settings import ChannelSection, Section

Kinds = Mapping[str, Callable[[], type[BaseModel]]]
"""kind → the section of that kind."""

SectionT = TypeVar("SectionT", bound=BaseModel)
Table = Mapping[str, Any]

SINGLE = ("hub", "storage", "shared", "queue", "knowledge", "agent", "memory", "files", "operators")
SECTIONS = (*SINGLE, "channels")
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration without faults. `written` holds the addresses whose password stands in the file itself."""

    file: Path
    hub: HubSection
    storage: StorageSection
    shared: SharedSection
    queue: QueueSection
    knowledge: KnowledgeSection
    agent: AgentSection
    memory: MemorySection
    files: FilesSection
    operators: OperatorsSection
    channels: Mapping[str, ChannelSection]
    tools: Mapping[str, Section] = field(default_factory=dict)
    written: tuple[str, ...] = ()

    def sections(self) -> Iterator[tuple[str, Section]]:
        """Every section with its path, sections inside sections too."""
        for name in SINGLE:
            yield from _within(name, getattr(self, name))
        for name, channel in self.channels.items():
            yield from _within(f"channels.{name}", channel)
        for name, tool in self.tools.items():
            yield from _within(f"agent.tools.{name}", tool)

    @property
    def warnings(self) -> tuple[Fault, ...]:
        """What is allowed but unwise."""
        told = (_warning(path, section, text) for path, section in self.sections() for text in section.warnings())
        return (*self._joint(), *told)

    def _joint(self) -> Iterator[Fault]:
        """Warnings about settings that no section sees alone."""
        if not self.channels:
            yield Fault("channels", "none is configured, so nobody can ask anything")
        if (self.shared.url or self.queue.url) and not self.storage.url:
            yield Fault("storage.url", "replicas can't share SQLite; write the address of a PostgreSQL database")
        for path in self.written:
            yield Fault(path, 'spells out a password; put the whole address into a variable and write "env:NAME"')

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every value that must never be printed."""
        found = [secret for _, section in self.sections() for _, value in section for secret in _secrets(value)]
        return tuple(dict.fromkeys(text for secret in found for text in (secret.value, password(secret)) if text))


def _secrets(value: object) -> Iterator[Secret]:
    """The secrets that a setting is, or holds under names."""
    for one in value.values() if isinstance(value, Mapping) else (value,):
        if isinstance(one, Secret) and one:
            yield one


def _warning(path: str, section: Section, text: str) -> Fault:
    """A warning that begins with the name of a setting is told under that setting's path."""
    key, _, rest = text.partition(": ")
    return Fault(f"{path}.{key}", rest) if key in type(section).model_fields else Fault(path, text)


def _within(path: str, section: Section) -> Iterator[tuple[str, Section]]:
    yield path, section
    for name, value in section:
        several = isinstance(value, tuple)
        for number, inner in enumerate(value if several else (value,)):
            if isinstance(inner, Section):
                yield from _within(f"{path}.{name}[{number}]" if several else f"{path}.{name}", inner)


def load(path: Path, kinds: Kinds, tools: Kinds | None = None) -> Config:
    """Reads the file. `kinds` are those of channels, `tools` those of tools.

    Raises Refused with every fault. Reads secrets from the environment and from files, touches no network.
    """
    file = path.absolute()
    raw = _parse(file)
    reader = Reader(file.parent)
    config = Config(
        file,
        hub=reader.section("hub", HubSection, raw),
        storage=reader.section("storage", StorageSection, raw),
        shared=reader.section("shared", SharedSection, raw),
        queue=reader.section("queue", QueueSection, raw),
        knowledge=reader.section("knowledge", KnowledgeSection, raw),
        agent=reader.section("agent", AgentSection, raw, apart=("tools",) if tools else ()),
        memory=reader.section("memory", MemorySection, raw),
        files=reader.section("files", FilesSection, raw),
        operators=reader.section("operators", OperatorsSection, raw),
        channels=reader.named("channels", ChannelSection, kinds, raw.get("channels", {})),
        tools=reader.named("agent.tools", Section, tools, _inside(raw.get("agent"), "tools")) if tools else {},
        written=tuple(_written(raw)),
    )
    reader.unknown(raw)
    if reader.faults:
        raise Refused(file, reader.faults)
    return config


def _parse(file: Path) -> Table:
    """The tables of the file. A byte order mark, as some editors write it, is no fault."""
    try:
        return tomllib.loads(file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n"))
    except OSError as error:
        raise Refused(file, [Fault("", f"can't be read ({error.strerror}); name another file with --config")]) from None
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise Refused(file, [Fault("", f"line {line} is not UTF-8; save the file as UTF-8")]) from None
    except tomllib.TOMLDecodeError as error:
        raise Refused(file, [Fault("", f"is not TOML: {error}")]) from None


def _inside(table: object, key: str) -> object:
    return table.get(key, {}) if isinstance(table, Mapping) else {}


def _written(raw: Table) -> Iterator[str]:
    """Paths of the addresses that stand in the file with their password."""
    for name in ("storage", "shared", "queue"):
        url = _inside(raw.get(name), "url")
        if isinstance(url, str) and password(Secret(url)):
            yield f"{name}.url"


@dataclass(slots=True)
class Reader:
    """Checks sections one by one and keeps every fault. A section with faults gives an empty one in its place."""

    folder: Path
    faults: list[Fault] = field(default_factory=list)

    def section(self, name: str, model: type[SectionT], raw: Table, *, apart: tuple[str, ...] = ()) -> SectionT:
        """The section `name` of the file, without the keys that are read apart."""
        table = raw.get(name, {})
        if isinstance(table, Mapping):
            table = {key: value for key, value in table.items() if key not in apart}
        return self._checked(name, model, table) or model.model_construct()

    def named(self, path: str, model: type[SectionT], kinds: Kinds, raw: object) -> dict[str, SectionT]:
        """The sections below `path`, each of the kind that it names."""
        if not isinstance(raw, Mapping):
            self._fault(path, f"holds sections: write [{path}.NAME]")
            return {}
        found = {name: self._kind(f"{path}.{name}", model, kinds, table) for name, table in raw.items()}
        for name in found:
            if not NAME.fullmatch(name):
                self._fault(f"{path}.{name}", "a name is made of letters, digits, - and _; it stands in addresses")
        return {name: section for name, section in found.items() if section is not None}

    def _kind(self, path: str, model: type[SectionT], kinds: Kinds, table: object) -> SectionT | None:
        if wrong := _without_kind(path, kinds, table):
            self.faults.append(wrong)
            return None
        assert isinstance(table, Mapping)  # noqa: S101 — for the type checker; _without_kind looked
        section = self._checked(path, kinds[table["kind"]](), table)
        if section is not None and not isinstance(section, model):
            raise TypeError(f"the section of {table['kind']} is no {model.__name__}")
        return section

    def _checked(self, path: str, model: type[SectionT], table: object) -> SectionT | None:
        try:
            section = model.model_validate(table, context={"folder": self.folder})
        except ValidationError as error:
            self.faults.extend(faults(error, model, table, path))
            return None
        return section.root if isinstance(section, RootModel) else section

    def unknown(self, raw: Table) -> None:
        """Sections, or keys above all sections, that nobody reads."""
        for name in raw:
            if name not in SECTIONS:
                self._fault(name, f"is not a section; {nearest(name, SECTIONS)}")

    def _fault(self, path: str, text: str) -> None:
        self.faults.append(Fault(path, text))


def _without_kind(path: str, kinds: Kinds, table: object) -> Fault | None:
    """Why nobody can say which section this is."""
    if not isinstance(table, Mapping):
        return Fault(path, f"is a section: write [{path}] above its settings")
    kind = table.get("kind")
    if isinstance(kind, str) and kind in kinds:
        return None
    return Fault(f"{path}.kind", f"is {'missing' if kind is None else 'no kind'}; write {one_of(kinds)}")
