"""The order system over HTTP, as a shop's own would be: JSON in and out, an Idempotency-Key for what it changes."""

import asyncio
from dataclasses import asdict

from aiohttp import web

from examples.orders.store import Impossible, Orders


def application(orders: Orders) -> web.Application:
    """`GET /orders?customer=…&product=…` and `POST /orders/NUMBER/invoice {"customer": …}`."""

    async def find(request: web.Request) -> web.Response:
        customer = request.query.get("customer", "")
        if not customer:
            return _refused(400, "customer is missing")
        found = await asyncio.to_thread(orders.of, customer, product=request.query.get("product", ""))
        return web.json_response({"orders": [asdict(order) for order in found]})

    async def invoice(request: web.Request) -> web.Response:
        body, key = await request.json(), request.headers.get("Idempotency-Key", "")
        customer = str(body.get("customer") or "") if isinstance(body, dict) else ""
        if not customer or not key:
            return _refused(400, "customer or Idempotency-Key is missing")
        try:
            number = request.match_info["number"]
            order = await asyncio.to_thread(orders.request_invoice, customer, number, key=key)
        except Impossible as why:
            return _refused(409, str(why))
        return web.json_response(asdict(order))

    app = web.Application()
    app.add_routes([web.get("/orders", find), web.post("/orders/{number}/invoice", invoice)])
    return app


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)
