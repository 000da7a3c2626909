"""The guided flow is stopped, by its person or by their silence: at any moment, soon, and nothing is left."""

from __future__ import annotations

import asyncio
import sys
import time
from pathlib import Path

import pytest

from agent.ui import questions
from agent.ui.flow import BusyError
from processes import child
from tests.ui.flows import NAMES, ROOM, STEP, Person, World, levels, options

CHILD = (sys.executable, "-c", "import time; time.sleep(60)")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World().put(monkeypatch)


class Holding:
    """Something with a child process that takes for ever; it does not listen to a stop."""

    def __init__(self) -> None:
        self.began, self.pids = asyncio.Event(), list[int]()

    async def __call__(self) -> None:
        async with child.started(CHILD) as process:
            self.pids.append(process.pid)
            self.began.set()
            await process.wait()


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


WAYS = [
    *((name, "stop") for name in NAMES),
    *((name, "cancel") for name in NAMES),
    ("speaker", "close"),
    ("echo", "close"),
]


@pytest.mark.parametrize(("name", "how"), WAYS)
async def test_stopped_in_the_middle_of_each_step(name: str, how: str, world: World) -> None:
    world.before[name] = holding = Holding()
    flow = Person().of(options(room=ROOM))
    run = asyncio.create_task(flow.start("alone"))
    async with asyncio.timeout(5):
        await holding.began.wait()
    begun = time.monotonic()
    if how == "close":
        await flow.close()
    elif how == "stop":
        flow.stop()
    else:
        run.cancel()
    await asyncio.wait((run,))
    assert time.monotonic() - begun < 2.5
    assert not any(alive(pid) for pid in holding.pids)
    assert run.cancelled() is (how == "cancel")
    assert (flow.state.phase, flow.state.trouble, flow.state.question) == ("start", "stopped", None)
    assert {step.doing for step in flow.state.steps} <= {"waiting", "done"}
    assert flow.self_test is None
    del world.before[name]
    await flow.start("alone")
    assert (flow.state.phase, flow.state.trouble) == ("done", "")


@pytest.mark.parametrize("kind", ["heard", "speak", "own_voice", "picture"])
async def test_stopped_at_each_question(kind: str, world: World) -> None:
    flow = Person(lambda question: question.kind == kind and not flow.stop()).of(options(room=ROOM))
    begun = time.monotonic()
    await flow.start("alone")
    assert time.monotonic() - begun < 1.5
    assert (flow.state.phase, flow.state.trouble, flow.state.question) == ("start", "stopped", None)


@pytest.mark.parametrize("name", NAMES)
async def test_a_redone_step_that_is_stopped_gives_back_what_was_known(
    name: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.ui.flow.STOP_S", 0.1)
    flow = Person().of(options(room=ROOM))
    await flow.start("alone")
    before, test = levels(flow), flow.self_test
    world.before[name] = holding = Holding()
    run = asyncio.create_task(flow.start("several", only=[STEP[name]]))
    async with asyncio.timeout(5):
        await holding.began.wait()
    assert flow.state.answer is None
    await flow.close()
    await run
    assert (flow.state.phase, flow.state.trouble, levels(flow)) == ("done", "stopped", before)
    assert flow.self_test is test
    assert flow.state.answer is not None
    assert flow.state.company == "alone"
    del world.before[name]
    await flow.start("alone", only=["connection"])
    assert flow.self_test is not None
    assert flow.self_test.verdict.level == "ready"
    assert {m.name for m in flow.self_test.measurements} >= {"speaker", "camera", "microphone"}


async def test_nobody_answers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "PATIENCE_S", 0.1)
    flow = Person(lambda _: True).of(options(room=ROOM))
    await flow.start("alone")
    assert (flow.state.phase, flow.state.trouble) == ("start", "stopped")


async def test_nothing_to_stop(world: World) -> None:
    flow = Person().of(options(room=ROOM))
    flow.stop()
    await flow.close()
    assert (flow.state.phase, flow.state.trouble) == ("start", "")
    await flow.start("alone")
    flow.stop()
    assert (flow.state.phase, flow.state.trouble) == ("done", "")


async def test_one_run_at_a_time(world: World) -> None:
    flow = Person().of(options(room=ROOM))
    run = asyncio.create_task(flow.start("alone"))
    await asyncio.sleep(0)
    with pytest.raises(BusyError):
        await flow.start("several")
    with pytest.raises(BusyError):
        await flow.compare()
    await run
    assert (flow.state.company, flow.state.phase, flow.state.comparing) == ("alone", "done", False)
