"""What looks after something while the hub runs outlives a fault of its own."""

import asyncio

import pytest
from structlog.testing import capture_logs

from hub import app


async def test_a_watch_that_fails_is_logged_and_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(app, "RESTART_SECONDS", (0.0,))
    begun = 0

    async def watch() -> None:
        nonlocal begun
        begun += 1
        if begun < 4:
            raise RuntimeError("a fault of ours")

    with capture_logs() as logs:
        async with asyncio.timeout(10):
            await app.kept_watch("study", watch)

    assert begun == 4
    assert [(line["log_level"], line["watch"]) for line in logs] == [("error", "study")] * 3


async def test_a_watch_that_is_ended_ends() -> None:
    task = asyncio.create_task(app.kept_watch("study", asyncio.Event().wait))  # type: ignore[arg-type]
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
