"""The tools of one turn: arguments checked, policy held, each use journaled, run in its time, and told in words.

A use is in the journal before it begins and after it ended, so that a turn that is run again after a crash takes what
was done from there. What changes something is not done twice for one question: a use that was begun and has no end is
sent again under the same key where the tool says that this is harmless, else it is told as unknown.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from agent.engine import Budget, Done, Passage, Shelf, ToolFailed, ToolRefused, ToolSpec, Unconfirmed
from agent.prompt import numbered
from agent.tools import bound, shown
from agent.tools.arguments import canonical, checked
from agent.tools.past import Past
from agent.tools.running import run
from agent.tools.search import SPEC, Search
from agent.tools.tool import Call, Tool, Unsure
from hub.person import Evidence, Language
from hub.texts import texts
from hub.turn import Answer, Turn
from memory.calls import Call as Use

NO_TOOL = "没有这个工具。请直接根据已有资料回答。"
UNKNOWN = "不知道是否已经办成：没有收到结果。不要再次执行；请如实告诉用户，请其稍后查询或联系人工。"
GONE = "没有执行：这个问题已经不再需要回答。"
NOTHING = "没有查到任何结果。"


class Records(Protocol):
    """What uses stand on: the journal of the turn, and what is known of people. Raises NotStored."""

    async def uses(self, turn: str) -> Sequence[Use]:
        """Those of a turn, in order."""
        ...

    async def keep(self, turn: str, use: Use) -> bool:
        """Stores a use, or its end; False when the turn is over."""
        ...

    async def proofs(self, person: int) -> Sequence[Evidence]:
        """The evidence of all of a person's identities."""
        ...


class Ask(Protocol):
    """Whoever asks the person before a tool acts."""

    async def ask(self, turn: str, tool: Tool, given: Mapping[str, Any], language: Language) -> Answer:
        """The question; what it is about is kept until the person says yes. `given` is what the tool would get."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """What the uses of every turn have in common."""

    records: Records
    ask: Ask | None = None


class Uses:
    """Implements agent.engine.Tools over declared tools, and the search of the knowledge beside them."""

    def __init__(
        self,
        turn: Turn,
        tools: Mapping[str, Tool],
        search: Search,
        shelf: Shelf,
        desk: Desk,
        *,
        budget: Budget,
        language: Language,
    ) -> None:
        self._turn = turn
        self._tools = tools
        self._search = search
        self._shelf = shelf
        self._desk = desk
        self._budget = budget
        self._language = language
        self._past: Past | None = None
        self._one_by_one = asyncio.Lock()

    @property
    def offered(self) -> tuple[ToolSpec, ...]:
        """The search, and what was declared; what acts without asking first is never chosen by examples."""
        return SPEC, *(
            tool.spec if tool.policy.confirm or tool.policy.effect == "reads" else replace(tool.spec, examples=())
            for tool in self._tools.values()
        )

    async def call(self, name: str, arguments: str) -> str:
        """See agent.engine.Tools."""
        return (await self.use(name, arguments)).result

    async def use(self, name: str, arguments: str) -> Done:
        """See agent.engine.Tools."""
        if name == SPEC.name:
            return await self._search.use(name, arguments)
        return await self._use(self._tool(name), arguments, agreed=False)

    async def confirmed(self, name: str, arguments: str) -> Done:
        """See agent.engine.Tools."""
        tool = self._tool(name)
        try:
            return await self._use(tool, arguments, agreed=True)
        except ToolFailed as failure:
            return Done(name, arguments, str(failure), told(failure, self._language), failed=True)

    def _tool(self, name: str) -> Tool:
        if name not in self._tools:
            raise ToolFailed(NO_TOOL)
        return self._tools[name]

    async def _use(self, tool: Tool, text: str, *, agreed: bool) -> Done:
        arguments = checked(text, tool.spec.parameters)
        async with self._one_by_one:
            past = self._past = self._past or Past(await self._desk.records.uses(self._turn.id))
            try:
                return await self._allowed(tool, arguments, past, agreed=agreed)
            except ToolRefused as refused:
                refusal = past.new(tool.spec.name, canonical(arguments))
                await self._desk.records.keep(self._turn.id, replace(refusal, state="refused", result=refused.why))
                raise

    async def _allowed(self, tool: Tool, arguments: dict[str, Any], past: Past, *, agreed: bool) -> Done:
        """One use, from the policy to the words. What the policy says today also holds for what was done before."""
        self._permit(tool)
        values = await bound.values(tool.policy.bind, self._turn, self._desk.records.proofs)
        use = past.find(tool, canonical(arguments))
        if use is None:
            if tool.policy.confirm and not agreed:
                raise Unconfirmed(await self._question(tool, {**arguments, **values}))
            use = past.new(tool.spec.name, canonical(arguments))
            if use.number > self._budget.calls:
                raise ToolRefused("calls")
        if use.state == "begun" and tool.policy.effect == "acts" and past.known(use):
            raise Unsure(UNKNOWN)
        if use.state != "done":
            use = await self._run(tool, use, {**json.loads(use.arguments), **values}, past)
        return self._done(tool, use)

    def _permit(self, tool: Tool) -> None:
        """Raises ToolRefused where the policy does not let this person use it here."""
        policy = tool.policy
        if policy.personal and not policy.groups and self._turn.message.conversation.kind == "group":
            raise ToolRefused("group")
        if policy.requires == "linked" and not self._turn.person.linked:
            raise ToolRefused("linked")

    async def _question(self, tool: Tool, given: Mapping[str, Any]) -> Answer:
        """What the person is asked before it acts. Raises ToolRefused where nobody can be asked."""
        if self._desk.ask is None:
            raise ToolRefused("confirm")
        return await self._desk.ask.ask(self._turn.id, tool, given, self._language)

    async def _run(self, tool: Tool, use: Use, given: Mapping[str, Any], past: Past) -> Use:
        """Runs it between its two entries in the journal; the use with its end. Raises ToolFailed."""
        if not await self._desk.records.keep(self._turn.id, use):
            raise ToolFailed(GONE)
        past.own(use)
        try:
            value = await run(tool, given, Call(self._turn.id, f"{self._turn.id}-{use.number}"))
        except Unsure:
            raise  # the journal keeps it as begun: nobody knows its end
        except ToolFailed as failure:
            await self._desk.records.keep(self._turn.id, past.own(replace(use, state="failed", result=str(failure))))
            raise
        kept = json.dumps(shown.trimmed(shown.part(value, tool.manner.part)), ensure_ascii=False)
        done = past.own(replace(use, state="done", result=kept))
        await self._desk.records.keep(self._turn.id, done)
        return done

    def _done(self, tool: Tool, use: Use) -> Done:
        """The result on the shelf, under a number by which it can be cited, and in words."""
        value, manner = json.loads(use.result), tool.manner
        if shown.nothing(value):
            says = manner.empty or texts(self._language).tools.nothing
            return Done(use.name, use.arguments, f"{NOTHING}（{use.arguments}）", says)
        lines = shown.readable(value)
        title = manner.title or use.name
        passage = Passage(f"{self._turn.id}-{use.number}", title, use.name, "", lines, use.arguments)
        placed = self._shelf.put([passage])
        says = shown.spoken(value, manner.says) if manner.says else lines
        return Done(use.name, use.arguments, numbered(placed, longest=shown.WHOLE), says, manner.rules)


def told(failure: ToolFailed, language: Language) -> str:
    """What a person is told of a failure; why stays inside."""
    says = texts(language).tools
    match failure:
        case ToolRefused(why="linked"):
            return says.not_linked
        case ToolRefused(why="group"):
            return says.in_group
        case Unsure():
            return says.unsure
        case _:
            return says.failed
