"""The yardsticks, `python -m tests.bench.bare [uvloop]`: aiohttp reads a body and answers a constant, no more.

On asyncio's own loop it is what `aiohttp.web.run_app` serves; on uvloop, as the hub itself runs, it is the harder one.
"""

import asyncio
import sys

import uvloop
from aiohttp import web


async def told(address: str) -> None:
    """Says where it listens, and waits for the end."""
    sys.stdout.write(f"{address}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


async def bare() -> None:
    """Answers as many bytes as a short reply of the hub has."""

    async def answer(request: web.Request) -> web.Response:
        await request.read()
        return web.Response(body=b"<xml><Content><![CDATA[echo]]></Content></xml>".ljust(280), content_type="text/xml")

    app = web.Application()
    app.add_routes([web.post("/channels/oa", answer)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, backlog=4096).start()
    await told(f"http://127.0.0.1:{runner.addresses[0][1]}")
    await runner.cleanup()


if __name__ == "__main__":
    (uvloop if "uvloop" in sys.argv else asyncio).run(bare())
