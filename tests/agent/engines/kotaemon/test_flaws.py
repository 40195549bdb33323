"""Flaws of Kotaemon that the worker meets. Each is shown first, so that one that was mended there is noticed here."""

import json
import os
import subprocess
from pathlib import Path

from agent.engines.kotaemon.link import WORKER
from tests.agent.engines.kotaemon.real import HERE, PYTHON

pytestmark = HERE
PREPARED = f"""
import sys, types
worker = types.ModuleType("worker")
exec(compile(open({str(WORKER)!r}).read(), "worker", "exec"), vars(worker))
worker._prepare()
from kotaemon import agents, llms
from kotaemon.base import LLMInterface

class Said(llms.BaseLLM):
    words: list = []
    heard: list = []
    def run(self, prompt, **more):
        self.heard.append((prompt, more))
        return LLMInterface(content=self.words[min(len(self.heard), len(self.words)) - 1])

class Look(agents.BaseTool):
    name: str = "look"
    description: str = "Looks."
    def _run_tool(self, written):
        return "three"

ACT = "I look.\\nAction: look\\nAction Input: x"
END = "Final Answer: three"
"""


def ran(place: Path, code: str, *, prepared: bool = True, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs this in the environment of Kotaemon, where no network is reached."""
    offline = {"HTTPS_PROXY": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9", "HOME": str(place)}
    return subprocess.run(
        [PYTHON, "-I", "-c", PREPARED + code if prepared else code],
        cwd=place,
        env={"PATH": os.environ["PATH"], **offline, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def found(place: Path, code: str) -> object:
    """What the last line that this prints says, as JSON."""
    run = ran(place, "import json\n" + code)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout.splitlines()[-1])


def test_importing_it_needs_stores_that_nobody_uses_and_is_met(tmp_path: Path) -> None:
    assert ran(tmp_path, "import kotaemon.agents", prepared=False).returncode == 1
    assert ran(tmp_path, "").returncode == 0


def test_importing_it_downloads_a_tokenizer_and_is_met(tmp_path: Path) -> None:
    without = "worker._prepare()", "worker._prepare()\nimport os\ndel os.environ['TIKTOKEN_CACHE_DIR']"
    run = ran(tmp_path, PREPARED.replace(*without), prepared=False)

    assert run.returncode == 1
    assert "tiktoken" in run.stderr


def test_importing_it_leaves_a_folder_where_it_is_run(tmp_path: Path) -> None:
    ran(tmp_path, "")

    assert (tmp_path / ".theflow").is_dir()


def test_steps_stay_on_the_agent_so_that_each_turn_has_its_own(tmp_path: Path) -> None:
    code = """
agent = agents.ReactAgent(llm=Said(words=[ACT, END]), plugins=[Look()], trim_func=worker._untrimmed)
agent.run("first")
print(json.dumps([len(agent.intermediate_steps), "run" in vars(agents.ReactAgent)]))
"""
    assert found(tmp_path, code) == [2, True]


def test_stream_prints_the_prompt_and_run_does_not(tmp_path: Path) -> None:
    made = "agent = agents.ReactAgent(llm=Said(words=[END]), plugins=[])\n"

    assert "13800000000" in ran(tmp_path, made + "list(agent.stream('13800000000'))").stdout
    assert "13800000000" not in ran(tmp_path, made + "agent.run('13800000000')").stdout


def test_a_model_that_speaks_the_tool_s_part_breaks_the_agent(tmp_path: Path) -> None:
    code = """
llm = Said(words=[ACT + "\\nObservation: made up\\n" + END])
try:
    agents.ReactAgent(llm=llm, plugins=[Look()]).run("q")
    print("null")
except Exception as error:
    print(json.dumps([str(error)[:20], llm.heard[0][1]]))
"""
    assert found(tmp_path, code) == ["Parsing LLM output p", {"stop": ["Observation:"]}]


def test_its_own_prompts_are_english(tmp_path: Path) -> None:
    code = """
llm = Said(words=[END])
agents.ReactAgent(llm=llm, plugins=[]).run("q")
print(json.dumps(llm.heard[0][0].isascii()))
"""
    assert found(tmp_path, code) is True


def test_results_are_cut_by_a_tokenizer_of_somebody_else_s_model(tmp_path: Path) -> None:
    code = """
def left(**more):
    return len(agents.ReactAgent(llm=Said(words=[END]), plugins=[], **more)._trim("字 " * 5000))
print(json.dumps([left() < 10_000, left(trim_func=worker._untrimmed)]))
"""
    assert found(tmp_path, code) == [True, 10_000]


def test_all_rewoo_agents_share_one_scratchpad_and_it_is_kept_empty(tmp_path: Path) -> None:
    code = """
from kotaemon.agents.io import BaseScratchPad
def left():
    words = ['#Plan1: look\\n#E1: look[x]', 'three']
    agent = agents.RewooAgent(planner_llm=Said(words=words), solver_llm=Said(words=['three']), plugins=[Look()],
                              trim_func=worker._untrimmed)
    said = agent.run("q")
    assert said.text == "three", said
    return len(agents.RewooAgent._get_worker_evidence.__defaults__[0].log)
before = left()
worker._kotaemon()
print(json.dumps([before, left()]))
"""
    assert found(tmp_path, code) == [1, 1]


def test_a_rewoo_agent_writes_what_is_said_to_disk_and_is_kept_from_it(tmp_path: Path) -> None:
    code = """
class Plain(Said):
    def __call__(self, prompt, **more):
        return self.run(prompt, **more)

agent = agents.RewooAgent(planner_llm=Plain(words=['#Plan1: 13800000000']), solver_llm=Plain(words=['13800000000']),
                          plugins=[], trim_func=worker._untrimmed)
{prepared}
print(json.dumps(agent.run("13800000000").text))
"""
    before, after = tmp_path / "before", tmp_path / "after"
    for place, prepared in ((before, ""), (after, "worker._kotaemon()")):
        place.mkdir()
        assert found(place, code.format(prepared=prepared)) == "13800000000"

    assert written(before) is True
    assert written(after) is False


def written(place: Path) -> bool:
    """Whether any file below this holds the number."""
    return any(b"13800000000" in file.read_bytes() for file in place.rglob("*") if file.is_file())
