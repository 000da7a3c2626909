"""Equipment against the people in the room: a table of what is plugged in."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from media_check import equipment
from media_check.errand import Company, Errand
from reports.record import FORMS, Device, DeviceKind, Form

KINDS: dict[str, DeviceKind] = {"c": "camera", "m": "microphone", "s": "speaker"}


def devices(words: str) -> tuple[Device, ...]:
    """ "m:usb s:built_in?" is a USB microphone and a speaker that is perhaps built in. A later one is not chosen."""
    found = []
    for index, part in enumerate(words.split()):
        kind, form = part.split(":")
        sure = 0.3 if form.endswith("?") else 0.9
        name: Any = form.rstrip("?")
        found.append(Device(KINDS[kind], "Annas", f"{part} {index}", name, sure, (), None, part))
    return tuple(found)


def errand(words: str, company: Company | None, **more: Any) -> Errand:
    return Errand(devices(words), 0.0, asyncio.Event(), company, **more)


@pytest.mark.parametrize(
    ("company", "words", "expected"),
    [
        (None, "", "not_asked"),
        (None, "m:built_in s:built_in", "not_asked"),
        ("alone", "", "needs_headset"),
        ("alone", "m:headset s:headset c:built_in", "fits"),
        ("alone", "m:built_in s:headset", "fits"),
        ("alone", "m:headset s:built_in", "fits"),
        ("alone", "m:built_in s:built_in", "needs_headset"),
        ("alone", "m:conference s:conference", "needs_headset"),
        ("alone", "m:usb s:built_in", "needs_headset"),
        ("alone", "m:usb s:usb", "not_clear"),
        ("alone", "m:bluetooth s:bluetooth", "not_clear"),
        ("alone", "m:built_in s:headset?", "not_clear"),
        ("alone", "m:unknown s:unknown", "not_clear"),
        ("alone", "m:built_in s:virtual s:built_in", "needs_headset"),
        ("several", "", "needs_conference_unit"),
        ("several", "m:conference s:conference c:usb", "fits"),
        ("several", "m:conference s:conference c:conference", "fits"),
        ("several", "m:conference c:built_in", "needs_camera"),
        ("several", "m:conference", "needs_camera"),
        ("several", "m:headset s:headset c:usb", "needs_conference_unit"),
        ("several", "m:built_in s:built_in c:built_in", "needs_conference_unit"),
        ("several", "m:usb c:usb", "not_clear"),
        ("several", "m:usb c:built_in", "needs_camera"),
        ("several", "m:conference c:unknown", "not_clear"),
        ("several", "m:conference? c:usb", "not_clear"),
    ],
)
def test_word(company: Company | None, words: str, expected: str) -> None:
    assert equipment.word(errand(words, company)) == expected


@pytest.mark.parametrize(
    ("company", "words", "unanswered", "expected"),
    [
        ("alone", "", "speaker microphone", "not_clear"),
        ("alone", "", "camera", "needs_headset"),
        ("alone", "m:headset", "speaker", "fits"),
        ("several", "c:usb", "microphone", "not_clear"),
        ("several", "m:conference", "camera", "not_clear"),
        ("several", "m:conference c:built_in", "camera", "not_clear"),
        ("several", "", "microphone", "needs_camera"),
    ],
)
def test_what_may_be_there_is_not_missed(company: Company, words: str, unanswered: str, expected: str) -> None:
    unknown = dict.fromkeys(unanswered.split(), "devices_unanswered")
    assert equipment.word(errand(words, company, unanswered=unknown)) == expected


@pytest.mark.parametrize("form", FORMS)
def test_every_form_has_a_place(form: Form) -> None:
    assert form in equipment.FOR_ONE
    assert form in equipment.FOR_MANY
    assert form in equipment.CAMERA


async def test_what_is_there_and_not_chosen_is_named() -> None:
    draft = await equipment.check(errand("m:built_in s:built_in s:headset", "alone"))
    assert draft.facts == {"equipment": "needs_headset", "company": "alone", "better_device": "s:headset 2"}
    assert draft.measurement().subject == "computer"


async def test_the_chosen_one_counts() -> None:
    draft = await equipment.check(errand("m:built_in s:built_in s:headset", "alone", chosen={"speaker": "s:headset"}))
    assert draft.facts == {"equipment": "fits", "company": "alone"}


async def test_nobody_said() -> None:
    draft = await equipment.check(errand("m:built_in", None))
    assert draft.facts == {"equipment": "not_asked"}
    assert draft.failure is None
