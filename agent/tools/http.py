"""A tool that is one HTTP call: an address with parameters in it, the rest in the query or in a JSON body."""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlsplit

import aiohttp
from pydantic import AfterValidator, Field, ValidationInfo
from yarl import URL

from agent.engine import ToolFailed, ToolSpec
from agent.tools.address import Forbidden
from agent.tools.parameters import Parameters, schema, titles
from agent.tools.sending import Request, reachable, send
from agent.tools.tool import Call, Description, Effect, Tool, ToolSection
from config.secret import Secret
from config.settings import fault
from hub.channel import Finding

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
MARK = re.compile(r"\{(\w+)\}")
KEY = "Idempotency-Key"
EFFECTS: Mapping[str, Effect] = {"GET": "reads", "PUT": "repeats", "DELETE": "repeats"}
"""What a method changes, where the section does not say. https://www.rfc-editor.org/rfc/rfc9110#section-9.2"""


def _url(url: str, info: ValidationInfo) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or MARK.search(parts.netloc) or parts.username:
        raise fault('write an address like "https://shop.example.com/orders/{order}", without user and password')
    known = {*info.data.get("bind", {}), *info.data.get("parameters", {})}
    for name in MARK.findall(url):
        if name not in known:
            raise fault(f"names {{{name}}}, which is neither in parameters nor in bind")
        if f"{{{name}}}" not in parts.path:
            raise fault(f"holds {{{name}}} behind the path; what is not in the path goes into the query by itself")
    return url


class HttpSection(ToolSection):
    """One call."""

    description: Description
    """What it does and when it is used, for a model."""
    parameters: Parameters = Field(default_factory=dict)
    method: Method = "GET"
    url: Annotated[str, AfterValidator(_url)]
    """The address; {NAME} in its path is a parameter."""
    query: tuple[str, ...] = ()
    """Parameters that go into the query though there is a body."""
    headers: dict[str, Secret] = Field(default_factory=dict)
    """Headers by name, each a secret."""
    private: bool = False
    """The server may stand in a private network."""

    def warnings(self) -> list[str]:
        """A key on an open line can be read by whoever stands between."""
        if self.headers and self.url.startswith("http:") and not self.private:
            return ["url: sends headers that are secret over http; write https"]
        return []


SECTION = HttpSection


class Http:
    """Makes the one tool of a section."""

    def __init__(self, name: str, section: HttpSection, http: aiohttp.ClientSession) -> None:
        self._section = section
        self._http = http
        spec = ToolSpec(name, section.description, schema(section.parameters), section.examples)
        policy = section.policy(EFFECTS.get(section.method, "acts"))
        self.tools: Sequence[Tool] = (Tool(spec, policy, self._act, section.manner(name, titles(section.parameters))),)

    async def open(self) -> None:
        """Nothing to open."""

    async def close(self) -> None:
        """Nothing to close: the session is the hub's."""

    async def doctor(self) -> Finding:
        """Connects to the host."""
        return await examined(URL(MARK.sub("0", self._section.url)), private=self._section.private, key="url")

    async def _act(self, given: Mapping[str, Any], call: Call) -> object:
        return await send(self._http, request(self._section, given, call), private=self._section.private)


async def examined(url: URL, *, private: bool, key: str) -> Finding:
    """Whether a host is reached, and what to change where it is not."""
    try:
        await reachable(url, private=private)
    except Forbidden:
        return Finding(key, False, f"{url.host} is in a private network", "set private = true if that is meant")
    except ToolFailed:
        return Finding(key, False, f"{url.host} is not reached", "correct the address, or start the server")
    return Finding(key, True, f"{url.host} is reached")


def request(section: HttpSection, given: Mapping[str, Any], call: Call) -> Request:
    """What is sent for these values. Raises ToolFailed for a value that would leave its place in the path."""
    inside = set(MARK.findall(section.url))
    path = MARK.sub(lambda found: segment(given.get(found[1])), section.url)
    rest = {name: value for name, value in given.items() if name not in inside and value is not None}
    has_body = section.method in ("POST", "PUT", "PATCH")
    query = {name: value for name, value in rest.items() if not has_body or name in section.query}
    body = {name: value for name, value in rest.items() if name not in query} if has_body else None
    url = URL(path, encoded=True)
    url = url.extend_query({name: text(value) for name, value in query.items()}) if query else url
    headers = {name: secret.value for name, secret in section.headers.items()}
    return Request(section.method, url, headers | ({} if section.method == "GET" else {KEY: call.key}), body)


def segment(value: object) -> str:
    """A value as one segment of a path."""
    told = text(value)
    if told in ("", ".", ".."):
        raise ToolFailed("参数有误，没有执行：地址里的参数不能为空或为点。")
    return quote(told, safe="")


def text(value: object) -> str:
    """A value in an address."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def make(name: str, section: HttpSection, http: aiohttp.ClientSession) -> Http:
    """The tool of a section."""
    return Http(name, section, http)
