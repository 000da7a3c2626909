"""Which device a check uses, and why it has none: a table."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Mapping
from typing import Any

import pytest

from media_check import speaker
from media_check.devices import Found
from media_check.errand import Errand
from reports.draft import ProbeFailure
from reports.record import Device, DeviceKind, Form
from reports.vocabulary import FAILURES

SOUND: tuple[DeviceKind, ...] = ("microphone", "speaker")
NO_SERVER, NO_LIBRARY, SILENT = "sound_system_missing", "device_library_missing", "devices_unanswered"


def device(name: str, form: Form = "usb", *, default: bool = False) -> Device:
    return Device("microphone", name, name, form, 0.9, (), default, name)


def errand(*devices: Device, **more: Any) -> Errand:
    return Errand(devices, 0.0, asyncio.Event(), **more)


def used(given: Errand) -> str:
    """The microphone, or why there is none."""
    try:
        return given.needed("microphone").name
    except ProbeFailure as failure:
        return failure.code


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (errand(device("a"), device("b", default=True), device("c")), "b"),
        (errand(device("a"), device("b", default=True), chosen={"microphone": "a"}), "a"),
        (errand(device("a", "virtual"), device("b")), "b"),
        (errand(device("a", "virtual")), "a"),
        (errand(), "microphone_none"),
        (errand(unanswered={"microphone": SILENT}), SILENT),
        (errand(unanswered={"camera": SILENT}), "microphone_none"),
        (errand(unanswered={"microphone": NO_SERVER}), NO_SERVER),
        (errand(device("a"), unanswered={"microphone": NO_SERVER}), NO_SERVER),
        (errand(device("a"), unanswered={"microphone": NO_LIBRARY}), "a"),
        (errand(device("a"), unanswered={"microphone": SILENT}), "a"),
    ],
)
def test_the_one_to_use(given: Errand, expected: str) -> None:
    assert used(given) == expected
    assert expected in {*FAILURES, "a", "b"}


DEAF = """import sys; sys.stdin.readline(); print('{"deaf": "microphone_none"}')"""


@pytest.mark.parametrize("code", ["microphone_none", NO_LIBRARY])
async def test_no_microphone_and_one_that_was_not_found(code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The speaker is played either way; why nobody could hear it is said as it is."""
    monkeypatch.setattr(speaker, "COMMAND", (sys.executable, "-S", "-c", DEAF))
    output = Device("speaker", "a", "a", "usb", 0.9, (), True, "alsa:hw:0,0")
    given = Errand((output,), time.monotonic() + 9, asyncio.Event(), unanswered={"microphone": code})
    draft = await speaker.check(given)
    assert draft.facts["speaker_sound"] == "played"
    assert set(draft.unknown.values()) == {FAILURES[code]}


@pytest.mark.parametrize(
    ("unanswered", "missing", "unknown"),
    [
        ((), (), {}),
        (("cameras",), (), {"camera": SILENT}),
        (("sound_server",), (), dict.fromkeys(SOUND, NO_SERVER)),
        (("sound_server",), ("sound_server",), dict.fromkeys(SOUND, NO_LIBRARY)),
        (("sound_cards",), (), dict.fromkeys(SOUND, SILENT)),
        (("sound_server", "sound_cards"), (), dict.fromkeys(SOUND, NO_SERVER)),
        (("everything",), (), {"camera": SILENT} | dict.fromkeys(SOUND, SILENT)),
    ],
)
def test_whom_was_asked_in_vain(
    unanswered: tuple[str, ...], missing: tuple[str, ...], unknown: Mapping[DeviceKind, str]
) -> None:
    assert Found((), unanswered, missing).unknown == unknown
