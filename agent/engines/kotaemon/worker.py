"""The process that Kotaemon lives in: turns come in over one WebSocket, tool calls and answers go out.

It is run by the Python of an environment of its own (`make kotaemon`) and imports nothing of the hub. What it needs to
reach the hub comes as one line of JSON on its standard input; keys come with each turn. Nothing is printed or logged.

Kotaemon is used as it is (https://github.com/Cinnamon/kotaemon, libs/kotaemon); what it can't do is met here:

- Importing it downloads a tokenizer and word lists, and demands vector stores that nobody uses: see `_prepare`.
- An agent keeps the steps of its last turn on itself, so that two turns would read each other's: one agent per turn.
- `stream` prints the prompt, people's words in it: `run` is used, and standard output leads nowhere.
- A component that is called writes prompt and answer to disk, 20 ms of work: components are run, not called.
- Models that do not know `stop` speak the tool's part as well: their words are cut where it begins.
- A blocking call can't be ended: models and tools are awaited on the event loop, where a turn that is over ends them.
  A thread that stays all the same is left behind; when there are too many of those, the process ends and is replaced.
"""

import asyncio
import itertools
import json
import os
import sys
import sysconfig
import threading
import types
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError
from typing import Any

import aiohttp

AT_ONCE = 256
"""Turns side by side; one more is refused, and the hub's other engines answer it."""
ABANDONED = 16
"""Threads of turns that are over and do not end."""
PATIENCE = 5.0
"""Seconds in which the thread of a turn that is over should end."""
ACT = "Observation:"
"""Where the model's part ends and the tool's begins."""
LAST = "\n\n（不能再使用工具了。请现在就写 Final Answer: 和答案。）"

Say = Callable[[dict[str, Any]], Coroutine[Any, Any, None]]
Run = Callable[["_Turn"], str]


class Unfinished(Exception):
    """The agent came to no answer; its status."""


class Over(BaseException):
    """The turn is over. Not an Exception, so that no agent takes it for a failure that it may tell of."""


def _prepare() -> None:
    """What has to be so before Kotaemon is imported, for it to import without the network."""
    import nltk

    static = f"{sysconfig.get_paths()['purelib']}/llama_index/core/_static"
    os.environ.update(TIKTOKEN_CACHE_DIR=f"{static}/tiktoken_cache", NLTK_DATA=f"{static}/nltk_cache")
    nltk.download = lambda *_, **__: False
    stores = "llama_index.vector_stores"
    for name in (stores, f"{stores}.chroma", f"{stores}.lancedb", f"{stores}.lancedb.base"):
        sys.modules[name] = _Absent(name)
    vars(sys.modules[f"{stores}.lancedb"])["base"] = sys.modules[f"{stores}.lancedb.base"]


class _Absent(types.ModuleType):
    """A package that is imported by Kotaemon and used by none of its agents."""

    __path__: list[str] = []  # noqa: RUF012 - the name is Python's

    def __getattr__(self, name: str) -> type:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def _kotaemon() -> Run:
    """Imports Kotaemon; returns the function that runs one turn in the calling thread."""
    _prepare()
    from kotaemon import agents, llms
    from kotaemon.agents.io import BaseScratchPad

    # All turns of a RewooAgent share one default scratchpad, which would keep what every tool ever said.
    BaseScratchPad.panel_print = BaseScratchPad.print = lambda *_, **__: None
    for part in (agents.rewoo.agent.Planner, agents.rewoo.agent.Solver):
        part.__call__, part.log_progress = part.run, lambda *_, **__: None
    model, ask, tool = _models(llms), _asking(llms), _tools(agents)

    def run(turn: "_Turn") -> str:
        asked = turn.asked
        turn.model = model(asked["model"])
        prompts = {name: llms.PromptTemplate(text) for name, text in asked["prompts"].items()}
        given = {
            "plugins": [tool(name=each["name"], description=each["description"], turn=turn) for each in asked["tools"]],
            "output_lang": asked["language"],
            "trim_func": _untrimmed,
        }
        if asked["agent"] == "rewoo":
            agent = agents.RewooAgent(
                planner_llm=ask(turn=turn), solver_llm=ask(turn=turn), prompt_template=prompts, **given
            )
        else:
            agent = agents.ReactAgent(
                llm=ask(turn=turn), prompt_template=prompts["React"], max_iterations=asked["steps"], **given
            )
        said = agent.run(asked["question"])
        if said.status != "finished":
            raise Unfinished(said.status)
        return str(said.text)

    return run


def _models(llms: Any) -> Callable[[dict[str, Any]], Any]:
    """Makes Kotaemon's own models."""
    clients: dict[str, Any] = {}

    class Chat(llms.ChatOpenAI):
        """One connection pool for all turns: Kotaemon opens a client, with certificates and all, for every call."""

        def prepare_client(self, async_version: bool = False) -> Any:
            key = f"{self.base_url} {self.api_key}"
            if key not in clients:
                clients[key] = super().prepare_client(async_version)
            return clients[key].with_options(timeout=self.timeout)

    def model(asked: dict[str, Any]) -> Any:
        if asked["provider"] == "anthropic":
            return llms.LCAnthropicChat(
                api_key=asked["api_key"],
                model_name=asked["name"],
                base_url=asked["base_url"],
                default_request_timeout=asked["timeout"],
                max_tokens=asked["tokens"],
                max_retries=0,
            )
        names = ("api_key", "base_url", "timeout")
        return Chat(model=asked["name"], max_retries=0, **{name: asked[name] for name in names})

    return model


def _asking(llms: Any) -> type:
    from kotaemon.base import AIMessage, HumanMessage, SystemMessage

    roles = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}

    class Asking(llms.BaseLLM):
        """Kotaemon's model, told the hub's rules and the conversation before each of the agent's prompts."""

        turn: Any = None

        def __call__(self, prompt: str, **_: Any) -> Any:
            """Without what theflow does around each call, which costs more than the rest of the turn."""
            turn = self.turn
            before = [roles[said["role"]](content=said["text"]) for said in turn.asked["messages"]]
            return turn.thought([*before, HumanMessage(content=prompt + (LAST if turn.last else ""))])

    return Asking


def _tools(agents: Any) -> type:
    class Tool(agents.BaseTool):
        """A tool of the hub: what it does, may do and costs is the hub's."""

        turn: Any = None

        def __call__(self, written: str) -> str:
            return str(self.turn.called(self.name, written))

    return Tool


def _untrimmed(documents: Any) -> Any:
    """The hub has cut results already; Kotaemon's own way needs a tokenizer, and breaks on an empty text."""
    return documents


class _Turn:
    """One turn, between the thread that its agent runs in and the event loop."""

    def __init__(self, asked: dict[str, Any], say: Say) -> None:
        self.asked = asked
        self.model: Any = None
        self._say = say
        self._loop = asyncio.get_running_loop()
        self._results: dict[int, asyncio.Future[str]] = {}
        self._numbers = itertools.count()
        self._waits: set[Any] = set()
        self._lock = threading.Lock()
        self._over = False
        self._steps = self._input = self._output = 0
        self._failed = ""
        self.thread = threading.Thread(daemon=True)

    @property
    def last(self) -> bool:
        """Whether the model is about to be asked for the last time."""
        return bool(self.asked["agent"] == "react" and self._steps + 1 >= self.asked["steps"])

    def start(self, run: Run) -> None:
        """Runs it in a thread of its own."""
        self.thread = threading.Thread(target=self._run, args=(run,), daemon=True)
        self.thread.start()

    def take(self, call: int, result: str) -> None:
        """The result of a tool."""
        if (waiting := self._results.pop(call, None)) and not waiting.done():
            waiting.set_result(result)

    def end(self) -> None:
        """Nobody waits for it any more."""
        with self._lock:
            self._over = True
            waits = list(self._waits)
        for wait in waits:
            wait.cancel()

    def thought(self, messages: list[Any]) -> Any:
        """What the model says to this. Called in the thread."""
        self._steps += 1
        try:
            said = self._wait(self._ask(messages))
        except Exception as error:  # whatever a vendor's package raises: the code tells the hub what kind it was
            self._failed = _code(error)
            raise
        asked, answered = _tokens(said)
        self._input += asked
        self._output += answered
        said.content = said.text = said.text.split(ACT)[0].rstrip()
        return said

    def called(self, tool: str, written: str) -> str:
        """What a tool brings. Called in the thread."""
        return str(self._wait(self._call(tool, written)))

    async def _ask(self, messages: list[Any]) -> Any:
        model = self.asked["model"]
        limit = {} if model["provider"] == "anthropic" else {model["limit"]: model["tokens"]}
        try:
            return await self.model.ainvoke(messages, stop=[ACT], **limit)
        except Exception as error:  # models that refuse `stop` do well without it
            if _code(error) != "400":
                raise
            return await self.model.ainvoke(messages, **limit)

    async def _call(self, tool: str, written: str) -> str:
        number = next(self._numbers)
        self._results[number] = self._loop.create_future()
        result = self._results[number]
        await self._say({"kind": "call", "call": number, "tool": tool, "written": written})
        return await result

    def _wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        with self._lock:
            if self._over:
                work.close()
                raise Over
            wait = asyncio.run_coroutine_threadsafe(work, self._loop)
            self._waits.add(wait)
        try:
            return wait.result()
        except CancelledError:
            raise Over from None
        finally:
            self._waits.discard(wait)

    def _run(self, run: Run) -> None:
        spent = ("input_tokens", "output_tokens")
        try:
            told = {"kind": "answer", "text": run(self)}
        except Over:
            return
        except Exception as error:  # noqa: BLE001 - its text may hold people's words: only its kind is told
            told = {"kind": "failed", "code": self._failed or _code(error)}
        told.update(zip(spent, (self._input, self._output), strict=True))  # type: ignore[arg-type]
        asyncio.run_coroutine_threadsafe(self._say(told), self._loop)


def _tokens(said: Any) -> tuple[int, int]:
    """What a call cost; Kotaemon looks for Anthropic's count where OpenAI's stands, and finds none."""
    if said.prompt_tokens > 0 or said.completion_tokens > 0:
        return max(said.prompt_tokens, 0), max(said.completion_tokens, 0)
    usage = getattr(next(iter(said.messages or ()), None), "usage_metadata", None) or {}
    return usage.get("input_tokens", 0), usage.get("output_tokens", 0)


def _code(error: Exception) -> str:
    """A status, or the kind of the error."""
    status = getattr(error, "status_code", None)
    if "Timeout" in type(error).__name__:
        return "timeout"
    return str(status) if status else str(error) if isinstance(error, Unfinished) else type(error).__name__


class _Work:
    """All turns of one connection."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, run: Run) -> None:
        self._socket = socket
        self._run = run
        self._turns: dict[str, _Turn] = {}
        self._left: set[threading.Thread] = set()

    async def take(self, told: dict[str, Any]) -> None:
        """A message of the hub."""
        name = told["turn"]
        match told["kind"]:
            case "ask" if len(self._turns) >= AT_ONCE:
                await self._socket.send_json({"kind": "failed", "code": "busy", "turn": name})
            case "ask":
                self._turns[name] = _Turn(told, lambda said: self._say(name, said))
                self._turns[name].start(self._run)
            case "result" if name in self._turns:
                self._turns[name].take(told["call"], told["result"])
            case "end" if name in self._turns:
                self._leave(self._turns.pop(name))

    async def _say(self, name: str, said: dict[str, Any]) -> None:
        if name in self._turns and not self._socket.closed:
            await self._socket.send_json({**said, "turn": name})
        if said["kind"] != "call":
            self._turns.pop(name, None)

    def _leave(self, turn: _Turn) -> None:
        turn.end()
        asyncio.get_running_loop().call_later(PATIENCE, self._count, turn.thread)

    def _count(self, thread: threading.Thread) -> None:
        self._left = {left for left in {*self._left, thread} if left.is_alive()}
        if len(self._left) > ABANDONED:
            os._exit(3)


async def _serve(address: str, token: str) -> None:
    """Works until the hub closes the connection, or is gone."""
    async with (
        aiohttp.ClientSession() as http,
        http.ws_connect(address, headers={"Authorization": f"Bearer {token}"}, max_msg_size=0) as socket,
    ):
        try:
            run = await asyncio.to_thread(_kotaemon)
        except Exception as error:  # noqa: BLE001 - the hub tells the operator what the environment lacks
            missing = getattr(error, "name", None) or ""
            await socket.send_json({"kind": "broken", "code": f"{type(error).__name__} {missing}".strip()})
            return
        from importlib.metadata import version

        await socket.send_json({"kind": "ready", "version": version("kotaemon")})
        work = _Work(socket, run)
        async for message in socket:
            await work.take(json.loads(message.data))


def _main() -> None:
    import logging

    logging.disable(logging.CRITICAL)
    given = json.loads(sys.stdin.readline())
    try:
        asyncio.run(_serve(given["address"], given["token"]))
    finally:
        os._exit(0)  # a thread that is stuck keeps nobody waiting


if __name__ == "__main__":
    _main()
