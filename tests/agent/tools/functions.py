"""Functions as operators write them, for tests of tools."""

import asyncio
import time
from datetime import date
from typing import Annotated, Literal

from pydantic import Field

from agent.tools.tool import Call

HELD = 5.0


def stock(
    product: Annotated[str, Field(description="商品名称", max_length=20)], size: Literal["S", "M"] = "M"
) -> object:
    """Says how many there are.

    This is for programmers.
    """
    return {"product": product, "size": size, "left": 3}


async def delivery(order: int, on: date, customer: str) -> dict[str, object]:
    """Moves a delivery."""
    await asyncio.sleep(0)
    return {"order": order, "on": on, "customer": customer}


def keyed(what: str, call: Call) -> str:
    """Does something once."""
    return f"{what} {call.key}"


def holds() -> None:
    """Takes its time."""
    time.sleep(HELD)


def breaks() -> None:
    """Has a fault."""
    raise RuntimeError("password=hunter2")


NO_FUNCTION = 7
