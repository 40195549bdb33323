"""`python -m agent.knowledge.vectors`: started by a client, which writes the Setup to standard input."""

import asyncio
import sys

from agent.knowledge.vectors import Setup
from agent.knowledge.vectors.owner import run

if __name__ == "__main__":
    asyncio.run(run(Setup.loads(sys.stdin.readline())))
