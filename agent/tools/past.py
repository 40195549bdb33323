"""What tools did in a turn so far: in this run of it, and in those that a crash cut off. No input or output."""

from collections.abc import Iterable

from agent.tools.tool import Tool
from memory.calls import Call


class Past:
    """The uses of one turn. `earlier` are those of runs before, from the journal."""

    def __init__(self, earlier: Iterable[Call]) -> None:
        self._all = {use.number: use for use in earlier}
        self._unclaimed = [use.number for use in self._all.values() if use.state in ("done", "begun")]
        self._claimed: list[int] = []

    def find(self, tool: Tool, arguments: str) -> Call | None:
        """The use that this one repeats, None for a new one.

        A lookup repeats the same one of an earlier run, once. What changes something also repeats its like of this
        run, and takes the place of one of an earlier run though a model words it differently this time.
        """
        changes = tool.policy.effect != "reads"
        numbers = [*self._unclaimed, *(self._claimed if changes else ())]
        uses = [self._all[n] for n in numbers if self._all[n].name == tool.spec.name]
        found = next((use for use in uses if use.arguments == arguments), None)
        if found is None and changes:
            found = next((use for use in uses if use.number in self._unclaimed), None)
        if found and found.number in self._unclaimed:
            self._unclaimed.remove(found.number)
            self._claimed.append(found.number)
        return found

    def new(self, name: str, arguments: str) -> Call:
        """A use under the next number."""
        return Call(max(self._all, default=0) + 1, name, arguments)

    def known(self, use: Call) -> bool:
        """Whether it was begun before."""
        return use.number in self._all

    def own(self, use: Call) -> Call:
        """Takes over a use of this run, or its end."""
        self._all[use.number] = use
        if use.state in ("done", "begun") and use.number not in self._claimed:
            self._claimed.append(use.number)
        elif use.state == "failed" and use.number in self._claimed:
            self._claimed.remove(use.number)
        return use
