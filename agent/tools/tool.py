"""A tool that an operator declared: what a model is told of it, whom it serves, and what it does.

A kind (http, sql, python, …) makes tools of its section in hub.toml; the runtime (uses.py) checks arguments and policy
before `act` is called, and keeps what came of it. A tool itself only does its work.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from agent.engine import ToolFailed, ToolSpec
from agent.tools.bound import Source
from config.settings import Section

Effect = Literal["reads", "repeats", "acts"]
"""What a call changes: nothing; something, and the same key again changes nothing more; something, each time."""


class Unsure(ToolFailed):
    """The call may or may not have done its work: the answer never came."""


@dataclass(frozen=True, slots=True)
class Call:
    """One use of a tool. `key` stays the same when the same use is tried again, and is like no other's."""

    turn: str
    key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom a tool serves, and what has to come before it acts."""

    requires: Literal["", "linked"] = ""
    """"linked": only people who are known by evidence."""
    confirm: bool = False
    """Only after the person's yes."""
    groups: bool = False
    """Also where others read along, though it is about the person."""
    effect: Effect = "acts"
    seconds: float = 20.0
    bind: Mapping[str, Source] = field(default_factory=dict)
    """Parameters whose value comes from the turn, never from a model."""

    @property
    def personal(self) -> bool:
        """Whether its results are about the one who asks."""
        return bool(self.requires) or any(
            source.startswith(("person", "identity", "evidence")) for source in self.bind.values()
        )


@dataclass(frozen=True, slots=True)
class Manner:
    """How people are told of a tool and of what it brought; see `shown.py`."""

    title: str = ""
    ask: str = ""
    """The question before it acts, with parameters in {braces}; "" = its title and the arguments."""
    says: str = ""
    """The result in words, with its fields in {braces}; of a list, each item in a line of its own."""
    empty: str = ""
    """What is said where nothing was found; "" = the hub's own sentence."""
    part: str = ""
    """The part of the result that counts, as "data.orders"; "" = all of it."""
    titles: Mapping[str, str] = field(default_factory=dict)
    """Parameters as people call them."""
    rules: str = ""
    """A question to the knowledge, whose answer is told with the result."""


Act = Callable[[Mapping[str, Any], Call], Awaitable[object]]
"""Does the work; the result is a JSON value. Raises ToolFailed, and Unsure where it may have been done."""


@dataclass(frozen=True, slots=True)
class Tool:
    """One tool."""

    spec: ToolSpec
    policy: Policy
    act: Act
    manner: Manner = Manner()


class ToolSection(Section):
    """What every kind of tool takes."""

    kind: str
    title: str = ""
    """As people are told of it; "" = its name."""
    requires: Literal["", "linked"] = ""
    """"linked" = only for people who are known by evidence."""
    confirm: bool = False
    """Asks the person before it acts."""
    ask: str = ""
    """The question, with parameters in {braces}; "" = the title and the arguments."""
    groups: bool = False
    """Also in group conversations, where others read what it says about the person."""
    bind: dict[str, Source] = Field(default_factory=dict)
    """Parameters whose value comes from the turn: who asks is never read from words."""
    effect: Effect | None = None
    """What a call changes; left out: what the kind says."""
    examples: tuple[str, ...] = ()
    """Questions that this tool answers; without a model it is chosen by them."""
    says: str = ""
    """The result in words, with its fields in {braces}."""
    empty: str = ""
    """What is said where nothing was found."""
    rules: str = ""
    """A question to the knowledge; with no model its answer is told with the result."""
    part: str = ""
    """The part of the result that counts, as "data.orders"."""
    timeout: Annotated[float, Field(gt=0)] = 20
    """Seconds that a call may take."""

    def policy(self, effect: Effect, *, confirm: bool | None = None) -> Policy:
        """The policy of one tool; `effect` and `confirm` are what the kind says where the section leaves it open."""
        return Policy(
            self.requires,
            self.confirm if confirm is None else confirm,
            self.groups,
            self.effect or effect,
            self.timeout,
            self.bind,
        )

    def manner(self, name: str, titles: Mapping[str, str] | None = None) -> Manner:
        """How people are told of it."""
        return Manner(self.title or name, self.ask, self.says, self.empty, self.part, titles or {}, self.rules)


def _described(text: str) -> str:
    return text.strip()


Description = Annotated[str, Field(min_length=1), AfterValidator(_described)]
"""What a tool does and when it is used, for a model."""
