"""The device part of a self-test: what a check that breaks or hangs costs, and what each is given."""

from __future__ import annotations

import asyncio
import sys
import types
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import media_check
from agent import checks
from agent.options import Options
from media_check import Entry
from media_check.devices import Found, look
from media_check.errand import Errand
from probes.profile import Profile
from reports.draft import Draft, drafting
from reports.policy import load_policy
from reports.record import Device

Check = Callable[[Errand], Awaitable[Draft]]
CAMERA = Device("camera", "Annas", "Camera", "usb", 0.9, (), None, "/dev/video0")


def registered(monkeypatch: pytest.MonkeyPatch, seconds: float = 5.0, **functions: Check) -> None:
    """Instead of the checks that there are, these, each in a module of its own."""
    for name, function in functions.items():
        module = types.ModuleType(f"tests.agent.{name}")
        module.check = function  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
    entries = {name: Entry(f"tests.agent.{name}", seconds) for name in functions}
    monkeypatch.setattr(media_check, "CHECKS", entries)
    monkeypatch.setattr(checks, "CHECKS", entries)


async def run(found: Found, monkeypatch: pytest.MonkeyPatch, **more: Any) -> list[Draft]:
    async def already() -> Found:
        return found

    monkeypatch.setattr("media_check.devices.look", already)
    base: dict[str, Any] = {"policy": load_policy(None), "room": None, "seconds": 1.0, "language": "en", "probes": ()}
    options = Options(**(base | {"checks": tuple(media_check.CHECKS)} | more))
    devices, drafts = await checks.Checks(options, asyncio.Event(), lambda _: None).run()
    assert devices == found.devices
    return drafts


async def good(errand: Errand) -> Draft:
    with drafting("good", "computer", {}) as draft:
        draft.facts["given"] = tuple(f"{kind} {code}" for kind, code in errand.unanswered.items())
        draft.facts["card"] = errand.card
    return draft


async def breaks(_: Errand) -> Draft:
    raise KeyError("/home/anna/secret")


async def hangs(_: Errand) -> Draft:
    await asyncio.sleep(60)
    raise AssertionError


async def test_one_that_breaks_or_hangs_costs_its_own_answer_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "GRACE_S", 0.1)
    registered(monkeypatch, 0.1, good=good, breaks=breaks, hangs=hangs)
    drafts = await run(Found(()), monkeypatch)
    assert [draft.name for draft in drafts] == ["good", "breaks", "hangs"]
    assert [draft.measurement().failure and draft.failure.code for draft in drafts] == [  # type: ignore[union-attr]
        None, "probe_broken", "timeout",
    ]  # fmt: skip
    assert drafts[1].failure is not None
    assert drafts[1].failure.detail == "KeyError"


@pytest.mark.parametrize("card", [False, True])
async def test_what_a_check_is_given(card: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    registered(monkeypatch, good=good)
    found = Found((CAMERA,), ("sound_server",))
    (draft,) = await run(found, monkeypatch, profile=Profile(card=card))
    assert draft.facts["given"] == ("microphone sound_system_missing", "speaker sound_system_missing")
    assert draft.facts["card"] is card


async def test_what_was_found_is_what_is_looked_at() -> None:
    """The stand-in above has the real one's shape."""
    assert isinstance(await look(), Found)
