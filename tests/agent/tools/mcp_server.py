"""An MCP server for tests, over standard input and output, or `--port N` over HTTP. `die` ends its process."""

import os
import sys

from mcp.server.mcpserver import MCPServer
from mcp.types import ToolAnnotations

server = MCPServer("shop")
READS = ToolAnnotations(read_only_hint=True)


@server.tool(annotations=READS)
def order_status(order: str, customer: str) -> dict[str, str]:
    """Says where an order is."""
    return {"order": order, "customer": customer, "status": "已发货", "key": os.environ.get("SHOP_KEY", "")}


@server.tool()
def cancel_order(order: str) -> str:
    """Cancels an order."""
    return f"cancelled {order}"


@server.tool(annotations=READS)
def refuses() -> str:
    """Does not work."""
    raise ValueError("no such order")


@server.tool(annotations=READS)
def die() -> str:
    """Ends the process."""
    os._exit(1)


if __name__ == "__main__":
    if "--port" in sys.argv:
        server.run("streamable-http", host="127.0.0.1", port=int(sys.argv[-1]))
    else:
        server.run("stdio")
