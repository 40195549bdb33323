"""The sections of hub.toml that belong to no channel and no tool: who listens where, what is stored where, who answers.

Faults are told by key even where two keys belong together, so what depends on another key is checked at
the field, not at the section.
"""

import ipaddress
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationInfo

from config.secret import Address, Secret
from config.settings import Place, Section, fault

Seconds = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]


def _web(url: str) -> str:
    """An http(s) URL without query, or ""."""
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise fault('write an address like "https://hub.example.com", or "" for none')
    return url.rstrip("/")


Web = Annotated[str, AfterValidator(_web)]


def _stored(address: Secret, schemes: tuple[str, ...]) -> Secret:
    if address and urlsplit(address.value).scheme not in schemes:
        raise fault(f'write an address that begins with {" or ".join(f"{s}://" for s in schemes)}, or "" for none')
    return address


def _postgresql(address: Secret) -> Secret:
    return _stored(address, ("postgresql",))


def _redis(address: Secret) -> Secret:
    return _stored(address, ("redis", "rediss"))


def _amqp(address: Secret) -> Secret:
    return _stored(address, ("amqp", "amqps"))


NOWHERE = Secret("")


class HubSection(Section):
    """Where the hub listens and what holds for all channels."""

    host: Annotated[str, Field(min_length=1)] = "127.0.0.1"
    port: Annotated[int, Field(ge=1, le=65535)] = 8080
    public_url: Web = ""
    """As platforms and browsers reach the hub."""
    data_dir: Place = Path("data")
    """What the embedded defaults write."""
    demo: bool = False
    """The page at / also when not on loopback."""
    stale_after: Seconds = 0
    """Seconds; a message sent longer ago is recorded, not answered. 0 = never stale."""
    turns: Count = 1000
    """Questions that are worked on side by side."""
    drain: Seconds = 5
    """Seconds that a stopping hub gives to the answers under way."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"

    @property
    def loopback(self) -> bool:
        """Whether only this machine reaches the hub."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"

    def warnings(self) -> list[str]:
        """Platforms can't call an address that they are not told."""
        if not self.loopback and not self.public_url:
            return [
                "public_url: is empty, so links and callback addresses can't be shown; write how the hub is reached"
            ]
        return []


class StorageSection(Section):
    """The journal, people, facts and documents."""

    url: Annotated[Address, AfterValidator(_postgresql)] = NOWHERE
    """"" = SQLite under data_dir; postgresql://…"""


class SharedSection(Section):
    """What replicas agree on: tokens, limits, leases, live events."""

    url: Annotated[Address, AfterValidator(_redis)] = NOWHERE
    """"" = inside the process; redis://…"""


class QueueSection(Section):
    """Who works on which conversation."""

    url: Annotated[Address, AfterValidator(_amqp)] = NOWHERE
    """"" = inside the process; amqp://…"""

    def warnings(self) -> list[str]:
        """An address that is kept for a version to come."""
        if self.url:
            return ["url: this version shares no work over RabbitMQ; let one hub at a time use the database"]
        return []


Evidence = Literal["unionid", "staff_id", "feishu_union_id", "dingtalk_union_id", "email", "mobile"]


class MemorySection(Section):
    """What is kept of people, and what joins them."""

    keep: tuple[Literal["mobile", "address", "id_card", "bank_card"], ...] = ("mobile", "address")
    """Sensitive values that may be kept as facts; the others are masked before they are stored."""
    trust: tuple[Evidence, ...] = ("unionid",)
    """Ids that a platform or its directory vouches for, by which identities are joined into one person."""
    days: Annotated[int, Field(ge=0)] = 0
    """After so many days what was said is erased. 0 = never."""
    calls: Annotated[int, Field(ge=0)] = 500
    """How often a day the model may read what people said, for facts and a summary. 0 = never."""


class FilesSection(Section):
    """The files that people send: read for their own questions, and never part of the knowledge."""

    hours: Seconds = 24
    """So long a file is at hand for the questions of whoever sent it. 0 = files are not read."""
    megabytes: Count = 20
    """A file that is larger is not read; each channel may set less."""
    characters: Count = 60_000
    """So much of a file is kept."""
    most: Count = 3
    """Files at hand in one conversation, the newest ones."""
    picture_kilobytes: Count = 4096
    """A picture that is larger is not shown to the model."""


class OperatorsSection(Section):
    """The people to whom a conversation can be handed over."""

    token: Secret | None = None
    """Opens the API under /api/conversations; left out: there is none."""
    webhook: Secret | None = None
    """Called when somebody asks for a person. A secret: the address of a group robot holds its key."""
    form: Literal["json", "wecom", "feishu"] = "json"
    """What the webhook takes: JSON, or the message of a group robot of WeCom or Feishu."""
    hours: Annotated[float, Field(ge=0)] = 24
    """After so many hours without a word of theirs a conversation goes back to the agent. 0 = never."""
    topics: tuple[Annotated[str, Field(min_length=2)], ...] = ()
    """Words that are for people: a message that holds one is handed over and not answered."""
    refusals: Annotated[int, Field(ge=0)] = 0
    """After so many answers in a row that found nothing people take over. 0 = they are only offered."""


class EmbeddingModelSection(Section):
    """An endpoint for vectors that speaks OpenAI's protocol; used with embedding = "openai"."""

    name: str = ""
    base_url: Web = ""
    api_key: Secret | None = None
    timeout: Positive = 30


def _embedding_named(model: EmbeddingModelSection, info: ValidationInfo) -> EmbeddingModelSection:
    if info.data.get("embedding") == "openai" and not model.name:
        raise fault('is missing; embedding = "openai" needs the name of a model', key="name")
    return model


class KnowledgeSection(Section):
    """What the agent may read."""

    sources: tuple[Place, ...] = (Path("knowledge"),)
    """Files and folders, kept up to date while the hub runs."""
    most_megabytes: Count = 50
    """A file that is larger is left out."""
    store: Web = ""
    """"" = Chroma under data_dir; http://… = a Chroma server."""
    embedding: Literal["builtin", "none", "openai"] = "builtin"
    """Who makes the vectors: the model that comes along, nobody (search by word only), an endpoint."""
    embedding_model: Annotated[EmbeddingModelSection, AfterValidator(_embedding_named)] = EmbeddingModelSection()

    def warnings(self) -> list[str]:
        """A source that is not there yet may come later, but is more often a slip of the pen."""
        return [f"sources: there is no {source}" for source in self.sources if not source.exists()]


Provider = Literal["none", "openai", "anthropic", "ollama", "huggingface"]


def _named(name: str, info: ValidationInfo) -> str:
    provider = info.data.get("provider", "none")
    if provider != "none" and not name:
        raise fault(f'is missing; provider = "{provider}" needs the name of a model')
    return name


class ModelSection(Section):
    """A language model."""

    provider: Provider = "none"
    name: Annotated[str, AfterValidator(_named)] = ""
    base_url: Web = ""
    """"" = the provider's own; any server that speaks OpenAI's protocol with provider = "openai"."""
    api_key: Secret | None = None
    timeout: Positive = 60
    """Seconds that one call may take."""
    max_tokens: Count = 2048
    """How long an answer may be."""
    pictures: bool = False
    """The model takes pictures."""
    input_price: Annotated[float, Field(ge=0)] = 0
    output_price: Annotated[float, Field(ge=0)] = 0
    """What a million tokens cost that it reads and that it writes, in whatever money; for `hub evaluate`."""

    def warnings(self) -> list[str]:
        """The providers' own servers take nobody without a key."""
        if self.provider in ("openai", "anthropic", "huggingface") and not self.base_url and not self.api_key:
            return [f"api_key: is left out, and {self.provider} takes no call without one"]
        return []


class AgentModelSection(ModelSection):
    """The model that is asked first, and those that are asked when it fails."""

    fallbacks: tuple[ModelSection, ...] = ()
    """Asked in this order when the model before fails; at the end the passages answer without a model."""


class KotaemonSection(Section):
    """The process that Kotaemon's agents run in; used with engine = "kotaemon"."""

    agent: Literal["react", "rewoo"] = "react"
    """react thinks after each result of a tool, rewoo plans all uses first."""
    python: Place = Path(".venv-kotaemon/bin/python")
    """The Python of its environment, which `make kotaemon` sets up."""
    seconds: Positive = 60
    """After so many seconds without an answer the builtin engine answers."""


class AgentSection(Section):
    """Who answers, and what one answer may cost."""

    engine: Literal["builtin", "kotaemon"] = "builtin"
    instructions: str = ""
    """What the model is told about its task, besides the hub's own rules; "" = nothing."""
    cache: Seconds = 0
    """Seconds an answer to the same question may be reused. 0 = never."""
    seconds: Positive = 120
    """How long one turn may take, all tries together."""
    steps: Count = 6
    """How often a model may be asked in one turn; every use of a tool costs one."""
    history: Annotated[int, Field(ge=0)] = 20
    """Earlier messages that the model is shown."""
    passages: Count = 6
    """Passages that the model is shown for a question."""
    calls: Count = 8
    """How often declared tools may be used in one turn."""
    confirm: Positive = 600
    """Seconds in which a person may say yes to what a tool is to do."""
    model: AgentModelSection = AgentModelSection()
    kotaemon: KotaemonSection = KotaemonSection()

    def warnings(self) -> list[str]:
        """Kotaemon's agents reason with a model."""
        if self.engine == "kotaemon" and self.model.provider == "none":
            return ["engine: Kotaemon needs a model, and none is configured; the builtin engine answers in its place"]
        return []
