"""Damaged calls against the callbacks of all channels, over real HTTP: what they came to, and what they cost."""

import asyncio
import json
import random
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
from rich.table import Table

from config import Secret
from tests.bench.processes import HUB, MODEL, Running, free_port, running, serving
from tests.channels.conformance.case import Call, Case
from tests.channels.conformance.damage import damaged
from tests.channels.conformance.world import Api, cases

Tell = Callable[[str], None]
SIDE_BY_SIDE = 32
NOWHERE = "http://127.0.0.1:9"
"""No platform: nothing that is damaged has to be answered."""


@dataclass
class Door:
    """The callback of one channel."""

    url: str
    http: aiohttp.ClientSession
    api: Api = field(default_factory=lambda: Api(NOWHERE))

    async def post(self, call: Call) -> tuple[int, bytes]:
        """The status and the body of the answer; 0 where the hub hung up."""
        try:
            async with self.http.post(
                self.url, params=dict(call.query), data=call.body, headers=dict(call.headers)
            ) as response:
                return response.status, await response.read()
        except aiohttp.ClientError:
            return 0, b""


@dataclass(frozen=True, slots=True)
class Row:
    """What the calls of one kind came to; memory in megabytes."""

    name: str
    statuses: Counter[int]
    before: float
    after: float


async def damaged_calls(count: int, tell: Tell) -> Table:
    """So many against each kind and mode of channel."""
    with tempfile.TemporaryDirectory(prefix="hub-bench-") as folder:
        async with AsyncExitStack() as stack:
            model = await stack.enter_async_context(running("child", "model"))
            file, secrets = configured(Path(folder), model.url)
            hub = await stack.enter_async_context(serving(file, secrets))
            http = await stack.enter_async_context(aiohttp.ClientSession())
            rows = []
            for case in cases():
                tell(f"{count:,} damaged calls for {case}")
                rows.append(await _one(case, hub, http, count))
            return _table(count, rows, await _counted(http, hub.url))


def configured(folder: Path, model: str) -> tuple[Path, dict[str, str]]:
    """A hub.toml with a channel for every case, and the secrets that it names."""
    text, secrets = HUB.format(port=free_port()) + MODEL.format(url=model), {}
    for case in cases():
        settings = case.settings(NOWHERE)
        text += f'[channels.{case}]\nkind = "{case.kind}"\n'
        for name in sorted(settings.model_fields_set - {"kind"}):
            value = getattr(settings, name)
            if isinstance(value, Secret):
                variable = f"BENCH_{case}_{name}".upper().replace("-", "_")
                secrets[variable], value = value.value, f"env:{variable}"
            if value is not None:
                text += f"{name} = {json.dumps(value)}\n"
    (folder / "knowledge").mkdir()
    file = folder / "hub.toml"
    file.write_text(text)
    return file, secrets


async def _one(case: Case, hub: Running, http: aiohttp.ClientSession, count: int) -> Row:
    """The first tenth warms up: what is imported and cached is no leak."""
    door = Door(f"{hub.url}/channels/{case}{case.path}", http)
    await case.begin(door)
    chance, statuses = random.Random(11), Counter[int]()

    async def some(times: int) -> None:
        for _ in range(times):
            statuses[(await door.post(damaged(case, door.api, chance)))[0]] += 1

    await asyncio.gather(*(some(count // 10 // SIDE_BY_SIDE) for _ in range(SIDE_BY_SIDE)))
    before = hub.megabytes
    await asyncio.gather(*(some((count - count // 10) // SIDE_BY_SIDE + 1) for _ in range(SIDE_BY_SIDE)))
    return Row(str(case), statuses, before, hub.megabytes)


async def _counted(http: aiohttp.ClientSession, url: str) -> str:
    """What the hub itself says that it stored and asked."""
    async with http.get(f"{url}/metrics") as response:
        lines = (await response.text()).splitlines()
    names = ("hub_messages_total", "hub_model_seconds_count")
    found = {name: sum(float(line.split()[-1]) for line in lines if line.startswith(name)) for name in names}
    return f"messages stored: {found[names[0]]:.0f}, models asked: {found[names[1]]:.0f}"


def _table(count: int, rows: list[Row], counted: str) -> Table:
    table = Table(title=f"{count:,} damaged calls for each callback", title_justify="left", caption_justify="left")
    for name in ("", "400", "401", "403", "413", "200", "5xx", "others", "MB before", "MB after"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    for row in rows:
        named = [row.statuses[status] for status in (400, 401, 403, 413, 200)]
        faults = sum(times for status, times in row.statuses.items() if status >= 500)
        others = row.statuses.total() - sum(named) - faults
        table.add_row(row.name, *map(str, (*named, faults, others)), f"{row.before:.1f}", f"{row.after:.1f}")
    table.caption = counted
    return table
