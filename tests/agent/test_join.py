"""`motesklar join` from its arguments to its exit code."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import pytest

import probes
from agent import cli
from probes import Entry
from probes.session import Draft, Session
from reports.record import Link
from testroom.calls import CallSettings
from testroom.server import RoomSettings, TestRoom
from tests.agent.program import command, environment
from tests.agent.steps import ETH, GOOD, call, join, part

KEYS = ["schema", "profile", "link", "level", "first_failure", "steps", "duration_s"]


Body = Callable[[Session], Awaitable[Draft]]


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Puts probes of the test's own in the places of join and call, on a computer with one link."""

    async def discover() -> list[Link]:
        return [ETH]

    def register(**bodies: Body) -> None:
        entries = probes.PROBES | {
            "join": Entry("tried_join", share=0.02, needs_room=False, needs_service=True),
            "call": Entry("tried_call", "alone", 0.5),
        }
        for name, body in bodies.items():
            module = ModuleType(f"tried_{name}")
            module.probe = body  # type: ignore[attr-defined]
            monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setattr(probes, "PROBES", entries)
        monkeypatch.setattr("agent.stages.PROBES", entries)

    monkeypatch.setattr("probes.links.discover", discover)
    for name in ("HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("MOTESKLAR_SETTINGS", "MOTESKLAR_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    return register


def ran(monkeypatch: pytest.MonkeyPatch, *arguments: str, command: str = "join") -> int:
    monkeypatch.setattr(sys, "argv", ["motesklar", command, "--lang", "en", *arguments])
    with pytest.raises(SystemExit) as end:
        cli.main()
    return int(end.value.code or 0)


def answering(draft: Draft, seen: list[tuple[float, Session]] | None = None) -> Body:
    async def probe(session: Session) -> Draft:
        session.start.leave()
        if seen is not None:
            seen.append((time.monotonic(), session))
        await asyncio.sleep(0.2)
        return draft

    return probe


REMARK, OUT, UNSURE = (join(part("tcp", code)) for code in ("tcp_family_broken", "tcp_refused", "room_busy"))
ROOM = ("--room", "https://room.example")


@pytest.mark.parametrize(
    ("draft", "arguments", "code"),
    [
        (GOOD, ROOM, 0),
        (REMARK, ROOM, 10),
        (OUT, ROOM, 20),
        (UNSURE, ROOM, 30),
        (GOOD, (), 30),
        (GOOD, ("--profile", "jonkoping"), 0),
        (OUT, ("--link", "eth0", "--profile", "jonkoping"), 20),
        (GOOD, ("--link", "eth1"), 2),
        (GOOD, ("--profile", "jonkopng"), 2),
        (GOOD, ("--room", "room.example"), 2),
    ],
)
def test_the_exit_code(
    registered: Callable[..., None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    draft: Draft,
    arguments: tuple[str, ...],
    code: int,
) -> None:
    registered(join=answering(draft), call=answering(call()))
    assert ran(monkeypatch, *arguments) == code
    said = capsys.readouterr()
    assert (said.out == "", said.err.count("\n")) == ((True, 1) if code == 2 else (False, 0))


def test_both_in_the_same_seconds_and_each_with_its_deadline(
    registered: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[tuple[float, Session]] = []
    registered(join=answering(GOOD, seen), call=answering(call(), seen))
    assert ran(monkeypatch, *ROOM, "--profile", "jonkoping", "--json") == 0
    (first, session), (second, other) = seen
    assert second - first < 0.2
    assert all(7 < each.deadline - first <= 8 for each in (session, other))
    assert (session.profile.name, other.seconds, other.link) == ("jonkoping", 1.5, ETH)
    found = json.loads(capsys.readouterr().out)
    assert list(found) == KEYS
    assert (found["schema"], found["profile"], found["link"]) == ("motesklar.join/1", "jonkoping", "eth0")
    assert [step["name"] for step in found["steps"]][-5:] == ["clock", "signalling", "ice", "dtls", "media"]
    assert 0.2 <= found["duration_s"] < 2


async def hanging(_: Session) -> Draft:
    await asyncio.get_running_loop().run_in_executor(None, time.sleep, 20)
    raise AssertionError


def test_one_that_never_ends_is_given_up(
    registered: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And a thread that hangs in a name lookup does not hold the program."""
    monkeypatch.setattr("agent.stages.NET_S", 0.5)
    registered(join=answering(GOOD), call=hanging)
    begun = time.monotonic()
    assert ran(monkeypatch, *ROOM, "--json") == 30
    assert time.monotonic() - begun < 5
    found = json.loads(capsys.readouterr().out)
    told = {"step": "signalling", "code": "timeout", "owner": "you", "advice": "test_again", "level": "unknown"}
    assert found["first_failure"] == told
    assert [step["level"] for step in found["steps"]] == ["ready"] * 4 + ["unknown"] + ["not_tried"] * 3


def test_a_check_is_not_held_up_either(
    registered: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def gives_up(session: Session) -> Draft:
        await asyncio.wait([asyncio.ensure_future(hanging(session))], timeout=0.2)
        return call()

    registered(call=gives_up)
    begun = time.monotonic()
    assert ran(monkeypatch, "--only", "call", *ROOM, "--json", command="check") == 30
    assert time.monotonic() - begun < 5
    assert [m["name"] for m in json.loads(capsys.readouterr().out)["measurements"]] == ["call"]


def test_without_a_link_there_is_no_way_out(
    registered: Callable[..., None], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    async def none() -> list[Link]:
        return []

    registered(join=answering(GOOD), call=answering(call()))
    monkeypatch.setattr("probes.links.discover", none)
    assert ran(monkeypatch, "--profile", "jonkoping", "--json") == 20
    found = json.loads(capsys.readouterr().out)
    assert (found["link"], found["first_failure"]["step"], found["first_failure"]["owner"]) == (None, "address", "you")


async def test_the_program_against_a_real_room(tmp_path: Path) -> None:
    async with TestRoom(RoomSettings(calls=CallSettings())) as room:
        program = await asyncio.create_subprocess_exec(
            *command("join", "--room", room.url, "--json"), env=environment(tmp_path), cwd=tmp_path,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        out, err = await asyncio.wait_for(program.communicate(), 25)
    assert (program.returncode, err) == (30, b""), "a room on this computer says nothing about the network"
    found = json.loads(out)
    assert list(found) == KEYS
    assert [step["name"] for step in found["steps"]] == ["signalling", "ice", "dtls", "media"]
    assert [step for step in found["steps"] if step["failure"] or step["level"] not in ("ready", "degraded")] == []
