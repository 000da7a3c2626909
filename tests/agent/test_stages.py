"""The stages of a self-test, with probes that only note when they ran."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

import agent.stages as stages_module
import probes
from agent.options import Options
from agent.selftest import Run
from agent.stages import Stages
from probes import Entry
from probes.room import Room
from reports.policy import load_policy
from reports.record import Link
from tests.agent import staged

A, B = (Link(name, "wired", 1.0, (), addresses=("192.0.2.1",)) for name in ("a", "b"))
PHONE = Link("phone", "tethered", 1.0, (), addresses=("192.0.2.1",))


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = {
        "talk": Entry("staged_talk", share=0.5),
        "look": Entry("staged_look", share=0.5, within_computer=True),
        "fill": Entry("staged_fill", "alone", 0.5),
        "pour": Entry("staged_pour", "alone", 1.0),
        "outside": Entry("staged_outside", needs_room=False),
        "asked": Entry("staged_asked", "alone", 1.0, default=False),
    }
    for name, entry in entries.items():
        module = ModuleType(entry.module)
        module.probe = staged.probe_named(name, together=entry.stage == "quiet")  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, entry.module, module)
    monkeypatch.setattr(probes, "PROBES", entries)
    monkeypatch.setattr("agent.stages.PROBES", entries)
    monkeypatch.setattr(staged, "RAN", [])
    monkeypatch.setattr(staged, "MOVED", 0)
    monkeypatch.setattr(staged, "FAILURES", {})


def run(*names: str, **more: object) -> Run:
    base: dict[str, object] = {"policy": load_policy(), "room": Room("192.0.2.9", 1), "seconds": 1.0, "language": "en"}
    return Run(Options(**(base | {"probes": names} | more)))  # type: ignore[arg-type]


async def measured(run_: Run, *links: Link) -> list[tuple[str, str]]:
    assert run_.options.room
    return [(d.name, d.subject) for d in await Stages(run_, run_.options.room, links, None).measure()]


async def test_the_quiet_ones_together_and_then_each_alone() -> None:
    found = await measured(run("talk", "look", "fill", "pour"), A, B)
    assert found == [(name, link) for name in ("talk", "look", "fill", "pour") for link in ("a", "b")]
    quiet, alone = staged.RAN[:4], staged.RAN[4:]
    assert max(begun for _, _, begun, _, _ in quiet) < min(ended for _, _, _, ended, _ in quiet)
    assert [(name, link) for name, link, *_ in alone] == [("fill", "a"), ("fill", "b"), ("pour", "a"), ("pour", "b")]
    ends = [max(ended for _, _, _, ended, _ in quiet), *(ended for _, _, _, ended, _ in alone)]
    assert all(begun >= before for (_, _, begun, _, _), before in zip(alone, ends, strict=False))


@pytest.mark.parametrize(
    ("link", "budget_mb", "deep", "total"),
    [(A, None, False, 50e6), (A, None, True, 2000e6), (PHONE, None, True, 3e6), (PHONE, 20.0, False, 20e6)],
)
async def test_each_gets_its_share_of_what_is_left(
    monkeypatch: pytest.MonkeyPatch, link: Link, budget_mb: float | None, deep: bool, total: float
) -> None:
    monkeypatch.setattr(staged, "MOVED", 500_000)
    await measured(run("talk", "look", "fill", "pour", budget_mb=budget_mb, deep=deep), link)
    budgets = {name: budget for name, _, _, _, budget in staged.RAN}
    assert budgets == {
        "talk": total / 2, "look": total / 2, "fill": (total - 1e6) / 2, "pour": total - 1.5e6
    }  # fmt: skip


async def test_a_budget_that_is_spent_is_nothing_and_never_less(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(staged, "MOVED", 4_000_000)
    await measured(run("talk", "fill"), PHONE)
    assert staged.RAN[-1][4] == 0


async def test_the_room_on_this_computer_is_no_network() -> None:
    here = Room("127.0.0.1", 1)
    assert await measured(run("talk", "look", "fill", room=here), A) == [("look", "loopback")]
    assert await measured(run("fill", room=here, named=("fill",)), A) == [("fill", "loopback")]
    assert await measured(run("look", "outside", room=here), A, B) == [
        ("look", "loopback"), ("outside", "a"), ("outside", "b")
    ]  # fmt: skip


async def test_one_that_never_waits_for_the_others_does_not_hold_them_up(monkeypatch: pytest.MonkeyPatch) -> None:
    sys.modules["staged_look"].probe = staged.probe_named("look", together=False)  # type: ignore[attr-defined]
    await measured(run("talk", "look"), A)
    ((_, _, begun, _, _),) = [ran for ran in staged.RAN if ran[0] == "talk"]
    ((_, _, _, ended, _),) = [ran for ran in staged.RAN if ran[0] == "look"]
    assert 0 <= begun - ended < 1


@pytest.mark.parametrize(
    ("code", "filled"), [("room_unreachable", False), ("link_vanished", False), ("no_reply", True), ("timeout", True)]
)
async def test_what_is_not_there_is_not_waited_for_again(code: str, filled: bool) -> None:
    staged.FAILURES["talk", "a"] = code
    run_ = run("talk", "fill")
    assert run_.options.room
    drafts = await Stages(run_, run_.options.room, (A, B), None).measure()
    assert [name for name, subject, *_ in staged.RAN if name == "fill"] == ["fill"] * (1 + filled)
    (hindered,) = [d for d in drafts if (d.name, d.subject) == ("fill", "a")]
    assert (hindered.failure.code if hindered.failure else None) == (None if filled else code)


async def test_together_all_begin_at_once_and_must_end_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """`motesklar join`: a person waits, so that nothing waits for anything else."""
    staged.FAILURES["talk", "a"] = "room_unreachable"
    sys.modules["staged_fill"].probe = staged.probe_named("fill", together=True)  # type: ignore[attr-defined]
    assert await measured(run("talk", "fill", together=True), A) == [("talk", "a"), ("fill", "a")]
    assert max(begun for _, _, begun, _, _ in staged.RAN) < min(ended for _, _, _, ended, _ in staged.RAN)
    monkeypatch.setattr("agent.stages.NET_S", 0.02)
    run_ = run("talk", "fill", together=True)
    assert run_.options.room
    drafts = await Stages(run_, run_.options.room, (A,), None).measure()
    assert [d.failure.code for d in drafts if d.failure] == ["timeout", "timeout"]


async def test_the_way_to_the_meeting_service_hinders_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """What fails on the way to the service, or names a room there, says nothing about the room's own tests."""
    entries = {**stages_module.PROBES, "join": Entry("staged_talk", share=0.1)}
    monkeypatch.setattr(probes, "PROBES", entries)
    monkeypatch.setattr("agent.stages.PROBES", entries)
    sys.modules["staged_talk"].probe = staged.probe_named("join", together=True)  # type: ignore[attr-defined]
    staged.FAILURES["join", "a"] = "room_unreachable"
    await measured(run("join", "fill"), A)
    assert [name for name, *_ in staged.RAN] == ["join", "fill"]


async def test_after_an_interrupt_nothing_more_begins() -> None:
    run_ = run("talk", "fill")
    run_.stop.set()
    assert await measured(run_, A) == [("talk", "a")]


async def test_what_begins_is_said() -> None:
    run_, said = run("talk", "fill"), []
    run_.began = said.append
    await measured(run_, A)
    assert said == ["talk", "fill"]
