"""hub.toml: what is taken, and every fault at once with its path."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field, RootModel

from config import ChannelSection, Config, Kinds, Refused, Secret, Section, fault, load
from config.sections import AgentModelSection, HubSection


class Mail(ChannelSection):
    """A channel as its module would declare it."""

    transport: Literal["push", "pull"] = "push"
    address: str
    password: Secret
    seal: Secret | None = None
    folders: tuple[str, ...] = ("inbox",)

    def warnings(self) -> list[str]:
        return [] if self.seal else ["seal: is left out", "use it with care"]


class Paper(ChannelSection):
    transport: Literal["paper"]
    fax: Annotated[int, Field(ge=1)]


class Wire(ChannelSection):
    transport: Literal["wire"]
    token: Secret


class Old(RootModel[Annotated[Paper | Wire, Field(discriminator="transport")]]):
    """A section whose settings depend on the transport."""


class Weather(Section):
    kind: str
    city: str
    key: Secret | None = None


def never() -> type[Mail]:
    raise AssertionError("a kind that is not configured was asked for")


KINDS: Kinds = {"mail": lambda: Mail, "old": lambda: Old, "never": never}
MAIL = '[channels.post]\nkind = "mail"\naddress = "a@example"\npassword = "env:MAIL_PASSWORD"\nseal = "file:seal"\n'


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MAIL_PASSWORD", "p4ss")
    monkeypatch.setenv("SKY_KEY", "k3y")
    (tmp_path / "seal").write_text("s3al\n", encoding="utf-8")
    (tmp_path / "knowledge").mkdir()
    return tmp_path


def written(place: Path, text: str) -> Config:
    (place / "hub.toml").write_text(text, encoding="utf-8")
    return load(place / "hub.toml", KINDS, {"weather": lambda: Weather})


def refused(place: Path, text: str) -> list[str]:
    with pytest.raises(Refused) as caught:
        written(place, text)
    return [str(one) for one in caught.value.faults]


def test_an_empty_file_is_the_defaults(place: Path) -> None:
    config = written(place, "")

    assert (config.hub.host, config.hub.port, config.hub.data_dir) == ("127.0.0.1", 8080, place / "data")
    assert config.knowledge.sources == (place / "knowledge",)
    assert (config.agent.engine, config.agent.model) == ("builtin", AgentModelSection())
    assert not config.storage.url


def test_every_section_is_read_and_paths_are_relative_to_the_file(place: Path) -> None:
    config = written(
        place,
        """
        [hub]
        port = 81
        data_dir = "here"
        public_url = "https://hub.example/"
        [storage]
        url = "postgresql://db/hub"
        [shared]
        url = "rediss://cache:6380/1"
        [queue]
        url = "amqp://bus"
        [knowledge]
        sources = ["a", "/b/c.md"]
        store = "http://chroma:8000"
        [agent]
        cache = 60
        [agent.model]
        provider = "openai"
        name = "small"
        base_url = "http://127.0.0.1:1/v1/"
        [[agent.model.fallbacks]]
        provider = "ollama"
        name = "tiny"
        [agent.tools.sky]
        kind = "weather"
        city = "广州"
        """
        + MAIL,
    )

    assert config.hub == HubSection(port=81, data_dir=place / "here", public_url="https://hub.example")
    assert [s.url.value for s in (config.storage, config.shared, config.queue)] == [
        "postgresql://db/hub",
        "rediss://cache:6380/1",
        "amqp://bus",
    ]
    assert config.knowledge.sources == (place / "a", Path("/b/c.md"))
    assert config.agent.model.base_url == "http://127.0.0.1:1/v1"
    assert [m.name for m in config.agent.model.fallbacks] == ["tiny"]
    assert config.tools == {"sky": Weather(kind="weather", city="广州")}
    assert config.channels == {
        "post": Mail(kind="mail", address="a@example", password=Secret("p4ss"), seal=Secret("s3al"))
    }


def test_secrets_are_known_to_those_who_must_hide_them_and_never_shown(place: Path) -> None:
    tool = '[agent.tools.sky]\nkind = "weather"\ncity = "x"\nkey = "env:SKY_KEY"\n'
    config = written(place, '[storage]\nurl = "postgresql://me:h1dden@db/hub"\n' + MAIL + tool)

    assert config.secrets == ("postgresql://me:h1dden@db/hub", "h1dden", "p4ss", "s3al", "k3y")
    assert not [value for value in config.secrets if value in repr(config)]
    assert "p4ss" not in config.channels["post"].model_dump_json()


@pytest.mark.parametrize(
    ("text", "faults"),
    [
        ("[hub]\nprot = 1\n", ["hub.prot: is not a setting; did you mean port?"]),
        (
            "[shared]\nzzzzz = 1\n",
            ["shared.zzzzz: is not a setting; known here: url"],
        ),
        ("[strage]\n", ["strage: is not a section; did you mean storage?"]),
        (
            "x = 1\n",
            [
                "x: is not a section; "
                "known here: agent, channels, files, hub, knowledge, memory, operators, queue, shared, storage"
            ],
        ),
        ("hub = 1\n", ["hub: is a section with settings of its own"]),
        ("channels = 1\n", ["channels: holds sections: write [channels.NAME]"]),
        ("[channels]\npost = 1\n", ["channels.post: is a section: write [channels.post] above its settings"]),
        ("[hub]\nport = 'eighty'\n", ["hub.port: must be a whole number"]),
        ("[hub]\nport = 808080\n", ["hub.port: must be less than or equal to 65535"]),
        ("[hub]\nhost = 1\ndemo = 'so'\n", ["hub.host: must be a text in quotes", "hub.demo: must be true or false"]),
        ("[hub]\nstale_after = 'x'\n", ["hub.stale_after: must be a number"]),
        ("[knowledge]\nsources = 7\n", ["knowledge.sources: must be a list in [ ]"]),
        ("[knowledge]\nsources = ['a', 7]\n", ["knowledge.sources[1]: must be a text in quotes"]),
        ("[agent]\nengine = 'magic'\n", ['agent.engine: write "builtin" or "kotaemon"']),
        (
            "[hub]\npublic_url = 'ftp://x'\n",
            ['hub.public_url: write an address like "https://hub.example.com", or "" for none'],
        ),
        (
            "[storage]\nurl = 'mysql://u:geheim@db'\n",
            ['storage.url: write an address that begins with postgresql://, or "" for none'],
        ),
        (
            "[shared]\nurl = 'http://x'\n",
            ['shared.url: write an address that begins with redis:// or rediss://, or "" for none'],
        ),
        ("[queue]\nurl = 'env:NOT_SET_HERE'\n", ["queue.url: the environment variable NOT_SET_HERE is not set"]),
        (
            "[agent.model]\nprovider = 'openai'\n",
            ['agent.model.name: is missing; provider = "openai" needs the name of a model'],
        ),
        (
            "[knowledge]\nembedding = 'openai'\n",
            ['knowledge.embedding_model.name: is missing; embedding = "openai" needs the name of a model'],
        ),
        (
            "[[agent.model.fallbacks]]\nprovider = 'ollama'\n",
            ['agent.model.fallbacks[0].name: is missing; provider = "ollama" needs the name of a model'],
        ),
        (
            "[agent.tools.sky]\nkind = 'wether'\n",
            ['agent.tools.sky.kind: is no kind; write "weather"'],
        ),
    ],
)
def test_a_fault_is_told_with_its_path_and_what_to_write_instead(place: Path, text: str, faults: list[str]) -> None:
    assert refused(place, text) == faults


@pytest.mark.parametrize(
    ("line", "instead", "faults"),
    [
        ('kind = "mail"\n', "", ['post.kind: is missing; write "mail", "old" or "never"']),
        ('kind = "mail"', 'kind = "fax"', ['post.kind: is no kind; write "mail", "old" or "never"']),
        ('kind = "mail"', "kind = 7", ['post.kind: is no kind; write "mail", "old" or "never"']),
        ('address = "a@example"\n', "", ["post.address: is missing"]),
        (
            'password = "env:MAIL_PASSWORD"\n',
            "",
            ['post.password: is missing; write password = "env:POST_PASSWORD" and set that variable, or "file:PATH"'],
        ),
        (
            "env:MAIL_PASSWORD",
            "p4ssword",
            [
                'post.password: a secret is written "env:NAME" or "file:PATH", never spelled out here; '
                'write password = "env:POST_PASSWORD" and set that variable, or "file:PATH"'
            ],
        ),
        ("env:MAIL_PASSWORD", "env:", ['post.password: "env:" names nothing']),
        ("env:MAIL_PASSWORD", "env:NO_MAIL", ["post.password: the environment variable NO_MAIL is not set"]),
        ("file:seal", "file:no-seal", ["post.seal: the file no-seal can't be read"]),
        ("address", "adress", ["post.address: is missing", "post.adress: is not a setting; did you mean address?"]),
    ],
)
def test_a_fault_of_a_channel_stands_under_its_name(place: Path, line: str, instead: str, faults: list[str]) -> None:
    found = refused(place, MAIL.replace(line, instead))

    assert found == [f"channels.{one}" for one in faults]


def test_an_empty_secret_file_is_a_fault(place: Path) -> None:
    (place / "seal").write_text(" \n", encoding="utf-8")

    assert refused(place, MAIL) == ["channels.post.seal: the file seal is empty"]


def test_the_members_of_a_union_leave_no_trace_in_a_path(place: Path) -> None:
    found = refused(
        place,
        """
        [channels.a]
        kind = "old"
        transport = "paper"
        fax = 0
        tokn = "x"
        [channels.b]
        kind = "old"
        transport = "pigeon"
        [channels.c]
        kind = "old"
        [channels.d]
        kind = "old"
        transport = "wire"
        """,
    )

    assert found == [
        "channels.a.fax: must be greater than or equal to 1",
        "channels.a.tokn: is not a setting; did you mean token?",
        'channels.b.transport: write "paper", "wire"',
        "channels.c.transport: is missing",
        'channels.d.token: is missing; write token = "env:D_TOKEN" and set that variable, or "file:PATH"',
    ]


def test_a_union_is_opened_to_the_member_that_is_meant(place: Path) -> None:
    config = written(place, '[channels.a]\nkind = "old"\ntransport = "paper"\nfax = 7\n')

    assert config.channels == {"a": Paper(kind="old", transport="paper", fax=7)}


def test_a_name_that_can_t_stand_in_an_address_is_refused(place: Path) -> None:
    found = refused(place, MAIL.replace("channels.post", 'channels."my shop"'))

    assert found == ["channels.my shop: a name is made of letters, digits, - and _; it stands in addresses"]


def test_faults_of_all_sections_are_told_at_once_and_no_value_is_repeated(place: Path) -> None:
    with pytest.raises(Refused) as caught:
        written(
            place,
            MAIL.replace("env:MAIL", "geheim").replace("address", "adress") + "[hub]\nport = 0\nhots = 'geheim'\n",
        )

    assert str(caught.value).splitlines() == [
        f"{place / 'hub.toml'}: 5 faults",
        "  hub.port: must be greater than or equal to 1",
        "  hub.hots: is not a setting; did you mean host?",
        "  channels.post.address: is missing",
        '  channels.post.password: a secret is written "env:NAME" or "file:PATH", never spelled out here; '
        'write password = "env:POST_PASSWORD" and set that variable, or "file:PATH"',
        "  channels.post.adress: is not a setting; did you mean address?",
    ]


def test_a_validator_may_name_a_setting_inside_its_value() -> None:
    error = fault("too late", key="until")

    assert (error.message(), error.context) == ("too late", {"text": "too late", "key": "until"})


def test_broken_toml_is_told_with_its_line(place: Path) -> None:
    (found,) = refused(place, "[hub]\nport = 1\n[channels.web\n")

    assert found.startswith("is not TOML: ")
    assert "at line 3" in found


def test_a_file_that_is_not_utf8_is_told_with_its_line(place: Path) -> None:
    (place / "hub.toml").write_bytes("[agent]\ninstructions = '您好'\n".encode("gbk"))

    with pytest.raises(Refused, match="line 2 is not UTF-8"):
        load(place / "hub.toml", KINDS)


def test_a_byte_order_mark_and_windows_line_ends_are_taken(place: Path) -> None:
    (place / "hub.toml").write_bytes("\ufeff[hub]\r\nport = 81\r\n".encode())

    assert load(place / "hub.toml", KINDS).hub.port == 81


@pytest.mark.parametrize("name", ["none.toml", "."])
def test_a_file_that_can_t_be_read_is_told(place: Path, name: str) -> None:
    with pytest.raises(Refused, match="can't be read"):
        load(place / name, KINDS)


def test_a_kind_whose_section_is_no_channel_section_is_a_fault_of_the_program(place: Path) -> None:
    (place / "hub.toml").write_text('[channels.sky]\nkind = "weather"\ncity = "x"\n', encoding="utf-8")

    with pytest.raises(TypeError, match="weather"):
        load(place / "hub.toml", {"weather": lambda: Weather})


def test_what_is_allowed_but_unwise_is_a_warning(place: Path) -> None:
    config = written(
        place,
        """
        [hub]
        host = "0.0.0.0"
        [storage]
        url = ""
        [shared]
        url = "redis://:pw@cache"
        [knowledge]
        sources = ["gone"]
        [agent.model]
        provider = "anthropic"
        name = "large"
        [[agent.model.fallbacks]]
        provider = "huggingface"
        name = "small"
        """
        + MAIL.replace('seal = "file:seal"\n', ""),
    )

    assert [str(warning) for warning in config.warnings] == [
        "storage.url: replicas can't share SQLite; write the address of a PostgreSQL database",
        'shared.url: spells out a password; put the whole address into a variable and write "env:NAME"',
        "hub.public_url: is empty, so links and callback addresses can't be shown; write how the hub is reached",
        f"knowledge.sources: there is no {place / 'gone'}",
        "agent.model.api_key: is left out, and anthropic takes no call without one",
        "agent.model.fallbacks[0].api_key: is left out, and huggingface takes no call without one",
        "channels.post.seal: is left out",
        "channels.post: use it with care",
    ]


def test_what_this_version_does_not_hold_is_told(place: Path) -> None:
    config = written(place, '[storage]\nurl = "postgresql://db"\n[queue]\nurl = "amqp://bus"\n')

    assert [str(warning) for warning in config.warnings[1:]] == [
        "queue.url: this version shares no work over RabbitMQ; let one hub at a time use the database",
    ]


def test_kotaemon_needs_a_model(place: Path) -> None:
    none = written(place, '[agent]\nengine = "kotaemon"\n')
    one = written(place, '[agent]\nengine = "kotaemon"\n[agent.model]\nprovider = "ollama"\nname = "qwen"\n')

    assert "agent.engine: Kotaemon needs a model, and none is configured; the builtin engine answers in its place" in [
        str(warning) for warning in none.warnings
    ]
    assert not [warning for warning in one.warnings if str(warning).startswith("agent")]


def test_where_there_are_no_kinds_of_tools_there_is_no_setting_for_them(place: Path) -> None:
    (place / "hub.toml").write_text('[agent.tools.sky]\nkind = "weather"\n', encoding="utf-8")

    with pytest.raises(Refused, match=r"agent\.tools: is not a setting"):
        load(place / "hub.toml", KINDS)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("hub.example", False)],
)
def test_a_hub_knows_whether_only_its_own_machine_reaches_it(host: str, loopback: bool) -> None:
    assert HubSection(host=host).loopback is loopback
