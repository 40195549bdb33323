"""The tool that every engine has: to search the knowledge again, in other words than the person's."""

import json
from typing import Annotated

from pydantic import BaseModel, Field, ValidationError

from agent.engine import Done, Found, Knowledge, Shelf, ToolFailed, ToolSpec
from agent.prompt import numbered


class Arguments(BaseModel):
    """What the model gives."""

    question: Annotated[str, Field(min_length=1, max_length=400, description="要查找的内容，用一句完整的话")]


SPEC = ToolSpec(
    "search_knowledge",
    "在知识库中查找资料。已有资料不足以回答，或问题包含多个方面时使用。",
    json.dumps(Arguments.model_json_schema(), ensure_ascii=False),
)


class Search:
    """Searches for one turn; what it finds stands on the turn's shelf, so that it can be cited."""

    offered = (SPEC,)

    def __init__(self, knowledge: Knowledge, shelf: Shelf, *, limit: int) -> None:
        self._knowledge = knowledge
        self._shelf = shelf
        self._limit = limit

    async def use(self, name: str, arguments: str) -> Done:
        """What was found is cited, not told."""
        found = await self._found(name, arguments)
        shown = numbered(self._shelf.put(found.passages)) or "没有找到相关资料。"
        return Done(name, arguments, shown, "", failed=not found.answers)

    async def confirmed(self, name: str, arguments: str) -> Done:
        """Nobody is asked before something is looked up."""
        raise ToolFailed("没有这个工具。请直接根据已有资料回答。")

    async def call(self, name: str, arguments: str) -> str:
        """The passages under their numbers."""
        return (await self.use(name, arguments)).result

    async def _found(self, name: str, arguments: str) -> Found:
        if name != SPEC.name:
            raise ToolFailed("没有这个工具。请直接根据已有资料回答。")
        try:
            asked = Arguments.model_validate_json(arguments)
        except ValidationError:
            raise ToolFailed('参数有误，应为 {"question": "…"}。') from None
        return await self._knowledge.search(asked.question, limit=self._limit)
