"""The devices to choose among: numbers that stay, what is suggested, what is in use."""

from __future__ import annotations

import pytest

from agent.ui.choices import Choices
from media_check.errand import Company
from reports.record import Device, DeviceKind, Form


def device(kind: DeviceKind, name: str, form: Form = "built_in", *, default: bool = False, sure: float = 0.9) -> Device:
    return Device(kind, name, f"{form} {kind}", form, sure, (), default, f"handle of {name}")


INSIDE = device("microphone", "Inside", default=True)
SPEAKERS = device("speaker", "Speakers", default=True)
LID = device("camera", "Lid", default=True)
HEAD_MIC, HEAD = device("microphone", "Headset mic", "headset"), device("speaker", "Headset", "headset")
PUCK = device("microphone", "Puck", "conference")
EXTRA = device("camera", "Extra", "usb")
MONITOR = device("microphone", "Monitor of everything", "virtual")
ALL = (MONITOR, INSIDE, HEAD_MIC, PUCK, SPEAKERS, HEAD, LID, EXTRA)


def suggested(company: Company | None, devices: tuple[Device, ...] = ALL, **more: object) -> list[str]:
    chosen = more.pop("chosen", {})
    shown = Choices().shown(devices, chosen, company, **more)  # type: ignore[arg-type]
    return [each.name for each in shown if each.suggested]


@pytest.mark.parametrize(
    ("company", "expected"),
    [("alone", ["Headset mic", "Headset"]), ("several", ["Puck"]), (None, [])],
)
def test_what_fits_the_people_in_the_room(company: Company | None, expected: list[str]) -> None:
    assert suggested(company) == expected


def test_what_fits_already_is_not_suggested() -> None:
    assert suggested("alone", chosen={"speaker": HEAD.handle}) == []
    assert suggested("several", chosen={"microphone": PUCK.handle}) == ["Extra"]
    assert suggested("several", chosen={"microphone": PUCK.handle, "camera": EXTRA.handle}) == []


def test_one_that_fits_is_not_changed_for_another() -> None:
    first, second = (device("speaker", name, "conference") for name in ("One", "Two"))
    assert suggested("several", (INSIDE, PUCK, second, first), chosen={"speaker": first.handle}) == ["Puck"]


def test_a_form_that_is_not_sure_is_no_suggestion() -> None:
    assert suggested("alone", (INSIDE, SPEAKERS, device("speaker", "Perhaps", "headset", sure=0.3))) == []


def test_the_microphone_that_hears_the_person_goes_before_the_one_that_fits() -> None:
    assert suggested("alone", better="conference microphone") == ["Puck", "Headset"]
    assert suggested(None, better="conference microphone") == ["Puck"]
    assert suggested(None, better="built_in microphone") == []  # the one in use
    assert suggested(None, better="one that has gone") == []


def test_virtual_ones_come_last_and_each_kind_has_one_in_use() -> None:
    shown = Choices().shown(ALL, {"camera": EXTRA.handle}, "alone")
    assert [each.name for each in shown if each.kind == "microphone"] == [
        "Inside", "Headset mic", "Puck", "Monitor of everything",
    ]  # fmt: skip
    assert [each.name for each in shown if each.chosen] == ["Extra", "Inside", "Speakers"]


def test_a_device_keeps_its_number_and_gets_it_again() -> None:
    choices = Choices()

    def numbers(devices: tuple[Device, ...]) -> dict[str, int]:
        return {each.name: each.number for each in choices.shown(devices, {}, None)}

    first = numbers((INSIDE, PUCK, SPEAKERS))
    second = numbers((HEAD_MIC, INSIDE, SPEAKERS))
    assert len({*first.values(), second["Headset mic"]}) == 4
    assert {name: second[name] for name in ("Inside", "Speakers")} == {n: first[n] for n in ("Inside", "Speakers")}
    assert numbers((PUCK,)) == {"Puck": first["Puck"]}


def test_a_number_is_of_one_kind_and_of_what_is_there() -> None:
    choices = Choices()
    number = {each.name: each.number for each in choices.shown((INSIDE, SPEAKERS), {}, None)}
    assert choices.device("microphone", number["Inside"]) is INSIDE
    assert choices.device("speaker", number["Inside"]) is None
    assert choices.device("microphone", 99) is None
    choices.shown((SPEAKERS,), {}, None)
    assert choices.device("microphone", number["Inside"]) is None


def test_nothing_is_there() -> None:
    assert Choices().shown((), {"camera": "gone"}, "several") == ()
