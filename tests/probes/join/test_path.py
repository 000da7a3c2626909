"""The graph of steps, with small steps of the test's own: order, what is left out, what explains what, and time."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from types import ModuleType

import pytest

from probes import join
from probes.join import STEPS, WHOLE_S, Path, Step
from probes.join.errand import Errand, NeedlessError
from probes.session import Draft
from tests.probes.echoing import sound
from tests.probes.join.steps import session

Walk = Callable[[Errand], Awaitable[None]]
Graph = dict[str, Step]


class Steps:
    """Modules that last as long as the test. `log`: what began and ended, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._monkeypatch, self.graph, self.log = monkeypatch, Graph(), list[str]()

    def add(self, name: str, walk: Walk, *, seconds: float = 1.0, late: str = "timeout", **rest: object) -> None:
        async def step(errand: Errand) -> None:
            self.log.append(f"+{name}")
            try:
                await walk(errand)
            finally:
                self.log.append(f"-{name}")

        module = ModuleType(f"a_test_of_{name}")
        module.step = step  # type: ignore[attr-defined]
        self._monkeypatch.setitem(sys.modules, module.__name__, module)
        self.graph[name] = Step(module.__name__, seconds, late, **rest)  # type: ignore[arg-type]

    async def walk(self, stop_after: float | None = None, **changes: float) -> dict[str, Draft]:
        by = session()
        for name, value in changes.items():
            setattr(by, name, value)
        if stop_after is not None:
            asyncio.get_running_loop().call_later(stop_after, by.stop.set)
        return {d.name.removeprefix("join_"): sound(d) for d in await Path(by, self.graph).walk()}


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> Steps:
    return Steps(monkeypatch)


async def well(errand: Errand) -> None:
    await asyncio.sleep(0.01)
    errand.m.facts["well"] = True


async def slow(_: Errand) -> None:
    await asyncio.sleep(0.1)


async def hangs(_: Errand) -> None:
    await asyncio.sleep(60)


async def needless(_: Errand) -> None:
    raise NeedlessError


def failing(code: str = "tcp_refused") -> Walk:
    async def walk(errand: Errand) -> None:
        raise errand.fail(code, "for a reason")

    return walk


def remarking(code: str = "dns_resolver_silent") -> Walk:
    async def walk(errand: Errand) -> None:
        errand.remark(code, "the first")
        errand.remark("dns_disagreement", "the second")

    return walk


def outcome(draft: Draft) -> str:
    if draft.failure:
        return draft.failure.code
    return str(draft.facts.get("not_tried") or draft.facts.get("explained_by") or "ok")


async def test_one_waits_for_those_it_comes_after_and_the_rest_goes_side_by_side(steps: Steps) -> None:
    steps.add("last", well, after=("a",), needs=("b",))
    steps.add("a", slow)
    steps.add("b", slow)
    begun = time.monotonic()
    drafts = await steps.walk()
    assert time.monotonic() - begun < 0.18
    assert list(drafts) == ["last", "a", "b"]  # the registry's order, whatever came first
    assert steps.log.index("+last") > max(steps.log.index("-a"), steps.log.index("-b"))
    assert steps.log.index("+b") < steps.log.index("-a")
    assert drafts["last"].started_at > drafts["a"].started_at
    assert 0.1 <= drafts["a"].duration_s < 0.2
    assert drafts["last"].duration_s < 0.09  # without the waiting


# the first step; what becomes of one that needs it, one that needs that one, and one that comes after it
FIRST: list[tuple[Walk, dict[str, object], str | None, str, str, str]] = [
    (well, {}, "ok", "ok", "ok", "ok"),
    (failing(), {}, "tcp_refused", "first failed", "needing failed", "ok"),
    (remarking(), {}, "dns_resolver_silent", "ok", "ok", "ok"),
    (needless, {}, None, "ok", "ok", "ok"),
    (hangs, {"seconds": 0.1, "late": "tcp_timeout"}, "tcp_timeout", "first failed", "needing failed", "ok"),
]


@pytest.mark.parametrize(("walk", "changes", "first", "needing", "further", "after"), FIRST)
async def test_what_becomes_of_the_others(
    walk: Walk, changes: dict[str, object], first: str | None, needing: str, further: str, after: str, steps: Steps
) -> None:
    steps.add("first", walk, **changes)  # type: ignore[arg-type]
    steps.add("needing", well, needs=("first",))
    steps.add("further", well, needs=("needing",))
    steps.add("after", well, after=("first",))
    drafts = await steps.walk()
    assert ("first" in drafts) == (first is not None)
    assert [outcome(d) for d in drafts.values()] == [x for x in (first, needing, further, after) if x]
    assert (f"+{'needing'}" in steps.log) == (needing == "ok")


async def test_of_several_remarks_the_first_is_kept(steps: Steps) -> None:
    steps.add("first", remarking())
    failure = (await steps.walk())["first"].failure
    assert failure
    assert (failure.step, failure.detail) == ("first", "the first")


# a step that explains -> what a later failure, a later remark and an earlier failure are called
EXPLAINS: list[tuple[Walk, dict[str, object], tuple[str, str, str]]] = [
    (failing("captive_portal"), {}, ("it", "it", "no_route")),
    (well, {}, ("tcp_refused", "udp_blocked", "no_route")),
    (remarking(), {}, ("tcp_refused", "udp_blocked", "no_route")),
    (needless, {}, ("tcp_refused", "udp_blocked", "no_route")),
    (hangs, {"seconds": 0.05}, ("tcp_refused", "udp_blocked", "no_route")),  # that it did not end explains nothing
    (hangs, {"seconds": 0.05, "late": "proxy_unreachable"}, ("it", "it", "no_route")),
]


@pytest.mark.parametrize(("walk", "changes", "called"), EXPLAINS)
async def test_what_is_explained_is_no_fault_of_its_own(
    walk: Walk, changes: dict[str, object], called: tuple[str, str, str], steps: Steps
) -> None:
    steps.add("earlier", failing("no_route"))
    steps.add("it", walk, explains=True, **changes)  # type: ignore[arg-type]
    steps.add("later", failing())
    steps.add("remark", remarking("udp_blocked"))
    steps.add("well", well)
    drafts = await steps.walk()
    assert (outcome(drafts["later"]), outcome(drafts["remark"]), outcome(drafts["earlier"])) == called
    assert outcome(drafts["well"]) == "ok"
    if called[0] == "it":
        assert (drafts["later"].facts["failed_as"], drafts["remark"].facts["failed_as"]) == (
            "tcp_refused",
            "udp_blocked",
        )


async def test_the_whole_ends_in_time_and_accuses_nobody_who_had_none(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join, "WHOLE_S", 0.4 + join.CLOSE_S)
    steps.add("long", hangs, seconds=0.25, late="dns_no_answer")
    steps.add("cut", hangs, seconds=0.5, late="tcp_timeout", after=("long",))
    steps.add("none", well, after=("cut",))
    steps.add("beside", well)
    begun = time.monotonic()
    drafts = await steps.walk()
    assert 0.35 < time.monotonic() - begun < 0.6
    assert {n: outcome(d) for n, d in drafts.items()} == {
        "long": "dns_no_answer",
        "cut": "timeout",
        "none": "no time was left",
        "beside": "ok",
    }


async def test_the_sessions_own_deadline_counts_too(steps: Steps) -> None:
    steps.add("long", hangs, seconds=5)
    begun = time.monotonic()
    drafts = await steps.walk(deadline=begun + 0.2)
    assert outcome(drafts["long"]) == "timeout"
    assert time.monotonic() - begun < 0.5


async def test_stopped(steps: Steps) -> None:
    """What had ended is kept; what had not says nothing."""
    steps.add("well", well)
    steps.add("long", hangs, seconds=5)
    steps.add("after", well, after=("long",))
    begun = time.monotonic()
    drafts = await steps.walk(stop_after=0.1)
    assert list(drafts) == ["well"]
    assert time.monotonic() - begun < 0.3
    assert steps.log[-1] == "-long"


async def test_a_defect_is_none_of_the_networks(steps: Steps) -> None:
    async def broken(_: Errand) -> None:
        raise KeyError("a defect")

    steps.add("first", broken)
    steps.add("after", well, after=("first",))
    with pytest.raises(KeyError):
        await steps.walk()
    assert "-after" in steps.log  # and nobody waits for ever


async def test_a_room_that_was_opened_is_closed_and_not_waited_for(
    steps: Steps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(join, "CLOSE_S", 0.1)
    closed: list[str] = []

    class Stuck:
        async def close(self) -> None:
            closed.append("asked")
            await asyncio.sleep(60)

    async def opens(errand: Errand) -> None:
        errand.found.room = Stuck()  # type: ignore[assignment]

    steps.add("room", opens)
    begun = time.monotonic()
    assert outcome((await steps.walk())["room"]) == "ok"
    assert closed == ["asked"]
    assert time.monotonic() - begun < 0.4


def test_the_registry_can_be_walked() -> None:
    """No step waits for itself, and what is waited for exists."""
    ended: set[str] = set()
    while left := [n for n in STEPS if n not in ended]:
        ready = [n for n in left if {*STEPS[n].after, *STEPS[n].needs} <= ended]
        assert ready, f"these wait for each other: {left}"
        ended.update(ready)


def test_one_late_step_leaves_time_for_those_after_it() -> None:
    """Several may use up the whole; those that had none left are not accused, and say nothing."""

    def before(name: str) -> set[str]:
        direct = {*STEPS[name].after, *STEPS[name].needs}
        return direct.union(*(before(other) for other in direct))

    whole = WHOLE_S - join.CLOSE_S
    for name, step in STEPS.items():
        assert all(whole - STEPS[late].seconds >= min(step.seconds, 2.5) for late in before(name)), name


async def test_the_probe_itself(steps: Steps, monkeypatch: pytest.MonkeyPatch) -> None:
    steps.add("address", well)
    steps.add("tcp", failing())
    steps.add("turn", remarking("turn_udp_blocked"))
    monkeypatch.setattr(join, "STEPS", steps.graph)
    by = session()
    monkeypatch.setattr(join, "Path", lambda s: Path(s, steps.graph))
    draft = sound(await join.probe(by))
    assert draft.facts == {"profile": "generic-webrtc", "steps": ("address", "tcp", "turn"), "failed": ("tcp", "turn")}
    assert 0 < draft.values["join_seconds"] < 0.5
    assert draft.failure is None
    by.stop.set()
    stopped = sound(await join.probe(by))
    assert stopped.failure
    assert stopped.failure.code == "interrupted"
