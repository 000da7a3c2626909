"""`motesklar agent` as a service's manager runs it, against a real room that keeps self-tests."""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from agent.service.state import PAGE_LOCK, held
from tests.agent import odd_computer
from tests.agent.program import one_line, run
from tests.agent.service.agents import Place, ask, health, until

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
RUN = re.compile(r"self-test ([0-9a-f-]{36}): \w+")
MOST_RSS_KB = 40 * 1024
CHECK = ("check", "--only", "echo", "--seconds", 1, "--json", "--settings", "settings.toml")


def runs(lines: list[str]) -> list[str]:
    return [found[1] for line in lines if (found := RUN.search(line))]


def lint(promtool: str, metrics: bytes) -> tuple[int, bytes]:
    done = subprocess.run([promtool, "check", "metrics"], input=metrics, capture_output=True, timeout=10)
    return done.returncode, done.stdout + done.stderr


def rss_kb(pid: int) -> int:
    found = re.search(r"^VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return int(found[1])


async def test_every_run_arrives_once_whatever_is_killed(tmp_path: Path):
    """Made offline, by hand and by the agent; kill -9 while a run waits, while it is sent, and in the midst of one."""
    place, said = Place(tmp_path), list[str]()
    place.write(textfile=str(tmp_path / "motesklar.prom"))
    by_hand = await asyncio.to_thread(run, tmp_path, *CHECK)  # no room yet
    assert by_hand.stderr.startswith("motesklar: the self-test waits on this computer to be handed in: nothing listens")
    said.append(json.loads(by_hand.stdout)["run_id"])
    async with place.agent() as agent:
        await agent.said("self-test ")
        assert await agent.end(signal.SIGKILL) < 0
        said += runs(agent.lines)
    async with place.room():
        async with place.agent() as agent:
            agent.process.send_signal(signal.SIGHUP)  # no more waiting for what was in vain
            await until(lambda: bool(place.stored()))
            assert await agent.end(signal.SIGKILL) < 0
            said += runs(agent.lines)
        async with place.agent() as agent:
            await health(agent, doing="test")
            assert await agent.end(signal.SIGKILL) < 0
            said += runs(agent.lines)
        place.write(every=60)
        async with place.agent() as agent:
            agent.process.send_signal(signal.SIGHUP)
            await until(lambda: set(said) <= dict(place.stored()).keys())
            await health(agent, doing=None)
            shown = {path: await asyncio.to_thread(ask, agent, path) for path in ("/health", "/verdict", "/metrics")}
            assert await agent.end(signal.SIGTERM) == 0
    stored = place.stored()
    assert len(said) >= 2
    assert len({run_id for run_id, _ in stored}) == len(stored)
    assert {machine for _, machine in stored} == {(tmp_path / ".local/share/motesklar/machine").read_text()}
    counts = json.loads(shown["/health"])["spool"]["collector"]
    assert (counts["waiting"], counts["dropped"], counts["refused"], counts["sent"]) == (0, 0, 0, len(stored))
    assert json.loads(shown["/verdict"])["run_id"] in dict(stored)
    for name in (
        b"motesklar_verdict{",
        b"motesklar_probe_success{",
        b'motesklar_spool_sent_total{destination="collector"}',
    ):
        assert name in shown["/metrics"]
    assert b"motesklar_verdict{" in (tmp_path / "motesklar.prom").read_bytes()
    if promtool := shutil.which("promtool"):
        assert await asyncio.to_thread(lint, promtool, shown["/metrics"]) == (0, b"")


async def test_new_settings_and_a_stop_in_the_midst_of_a_test(tmp_path: Path):
    place = Place(tmp_path)
    place.write(every=600)
    async with place.agent() as agent:
        found = json.loads(await asyncio.to_thread(ask, agent, "/health"))
        assert found["last_run"] is None
        assert found["next_run_at"] > time.time()
        if sys.platform == "linux":
            assert rss_kb(agent.process.pid) < MOST_RSS_KB
        place.settings.write_text("[agent]\nevery_minute = 1\n")
        agent.process.send_signal(signal.SIGHUP)
        assert "did you mean every_minutes?" in (await agent.said("the settings stay as they were"))[0]
        place.write(seconds=30, only="local")  # which takes its time without a room
        agent.process.send_signal(signal.SIGHUP)
        await agent.said("read again")
        await health(agent, doing="test")
        await asyncio.sleep(0.5)
        begun = time.monotonic()
        assert await agent.end(signal.SIGTERM) == 0
        assert time.monotonic() - begun < 5
        assert agent.lines[-1] == "motesklar agent: stopped\n"
        assert not any("defect" in line for line in agent.lines)


HOLDER = """
import os, sys, time
os.chmod("/dev/video0", 0o600)
held = None
while os.path.exists("/proc/" + sys.argv[2]):
    wanted = os.path.exists(sys.argv[1])
    if wanted != bool(held):
        held = open("/dev/video0") if wanted else held.close()
        print("the camera is", "held" if held else "free", file=sys.stderr, flush=True)
    time.sleep(0.02)
"""


@pytest.mark.skipif(not odd_computer.possible(), reason="no namespaces here")
async def test_never_while_a_camera_is_in_use(tmp_path: Path):
    """Another program has /dev/video0 open, for real: put off; tested when it is let go; stopped when it is back."""
    place, held = Place(tmp_path), tmp_path / "held"
    place.write(seconds=30, only="local")  # which takes its time without a room
    held.touch()
    (tmp_path / "holder.py").write_text(HOLDER)
    no_child_of_the_agents = 'python=$1 dir=$2; shift 2; ( "$python" "$dir/holder.py" "$dir/held" $$ & ); exec "$@"'
    beside = ("sh", "-c", no_child_of_the_agents)
    prefix = (*odd_computer.with_camera(tmp_path / "space"), *beside, "sh", sys.executable, str(tmp_path))

    async def put_off() -> int:
        found = re.search(
            rb'agent_put_off_total{reason="camera"} (\d+)', await asyncio.to_thread(ask, agent, "/metrics")
        )
        return int(found[1]) if found else 0

    async with place.agent(prefix) as agent:
        await agent.said("a self-test is put off: camera")
        assert (await health(agent, doing=None))["put_off"]["reason"] == "camera"
        held.unlink()
        await agent.said("the camera is free")
        before = await put_off()
        await health(agent, doing="test")
        await asyncio.sleep(2.0)
        if await put_off() > before:  # it had looked before the camera was free
            before = await put_off()
            await health(agent, doing="test")
            await asyncio.sleep(2.0)
        assert await put_off() == before, "a test of 30 s is on"
        held.touch()
        begun = time.monotonic()
        while await put_off() == before:  # noqa: ASYNC110 - it is in another process
            await asyncio.sleep(0.05)
        assert time.monotonic() - begun < 6
        assert runs(agent.lines) == []
        assert await agent.end(signal.SIGKILL) < 0


async def test_it_gives_way_to_a_person_who_tests(tmp_path: Path):
    """One that goes on ends for `check`, which waits for that; with the page open none begins."""
    place, folder = Place(tmp_path), tmp_path / ".local/share/motesklar"
    place.write(seconds=30, only="local")  # which takes its time without a room
    async with place.agent() as agent:
        await health(agent, doing="test")
        await asyncio.sleep(0.5)
        by_hand = await asyncio.to_thread(run, tmp_path, *CHECK[:-2], "--room", "embedded")
        assert by_hand.stderr == "", "it would say that another test goes on"
        with held(folder, PAGE_LOCK):
            await agent.said("a self-test is put off: check", seconds=1)
            await agent.said("a self-test is put off: page", seconds=12)
            assert b'{reason="check"}' in await asyncio.to_thread(ask, agent, "/metrics")
            assert runs(agent.lines) == []
        assert await agent.end(signal.SIGKILL) < 0


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ('[collector]\nurl = "https://room.example"', "wants a token"),
        ('[agent]\nlisten = "0.0.0.0:80"', "agent.listen must be an address of this computer only"),
    ],
)
def test_settings_that_cannot_be_used_end_it_with_one_line(tmp_path: Path, settings: str, says: str):
    (tmp_path / "s.toml").write_text(settings)
    assert says in one_line(run(tmp_path, "agent", "--settings", "s.toml"))
