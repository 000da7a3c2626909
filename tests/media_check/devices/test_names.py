"""Labels hold neither a person's name nor a serial number, and tell devices of one kind apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_check.devices.names import LONGEST, settle
from media_check.devices.seen import Seen, from_line, to_line
from reports.record import DEVICE_KINDS

LABELS: list[tuple[str, Seen]] = [
    ("HD Pro Webcam C920", Seen("camera", "C920", "h", model="HD Pro Webcam C920", bus="usb")),
    ("Jabra SPEAK 510 USB", Seen("speaker", "Annas puck", "h", model="Jabra SPEAK 510 USB", bus="usb")),
    ("Bluetooth headset", Seen("speaker", "Annas AirPods", "h", model="Annas AirPods", bus="bluetooth")),
    ("Bluetooth speaker", Seen("speaker", "Köket", "h", model="Köket", bus="bluetooth")),
    ("Virtual camera", Seen("camera", "Annas bakgrund", "h", model="Annas bakgrund", bus="virtual")),
    ("Virtual speaker", Seen("speaker", "Annas TV", "h", model="Annas TV", bus="network")),
    ("Built-in microphone", Seen("microphone", "HDA", "h", model="Sunrise Point-LP HD Audio", bus="pci")),
    ("USB camera", Seen("camera", "Annas iPhone", "h", model="Annas iPhone", bus="usb")),
    ("USB camera", Seen("camera", "x", "h", model="Anna's Pixel", bus="usb")),
    ("Webcam", Seen("camera", "x", "h", model="Webcam 3F2A9910BC", bus="usb")),
    ("Webcam", Seen("camera", "x", "h", model="Webcam 00:1b:44:11:3a:b7", bus="usb")),
    ("Webcam", Seen("camera", "x", "h", model="Webcam (SN2052LZ0AB8)", bus="usb")),
    ("USB microphone", Seen("microphone", "x", "h", bus="usb")),
    ("Microphone", Seen("microphone", "Annas", "h")),
]


@pytest.mark.parametrize(("label", "seen"), LABELS)
def test_label(label: str, seen: Seen) -> None:
    (device,) = settle([seen])
    assert device.label == label


def test_the_name_stays_the_users_own() -> None:
    (device,) = settle([Seen("speaker", "Annas  AirPods\n", "pulse:x", bus="bluetooth", is_default=True)])
    assert (device.name, device.handle, device.is_default) == ("Annas AirPods", "pulse:x", True)


def test_devices_of_one_kind_are_told_apart() -> None:
    twins = [Seen("camera", "C920", f"/dev/video{n}", model="C920", bus="usb") for n in (0, 2, 4)]
    speaker = Seen("speaker", "C920", "h", model="C920", bus="usb")
    found = settle([*twins, speaker])
    assert [d.label for d in found] == ["C920", "C920 2", "C920 3", "C920"]
    assert [d.name for d in found] == ["C920", "C920 2", "C920 3", "C920"]


def test_a_name_that_looks_like_a_number_given_is_not_given_twice() -> None:
    names = ["A", "A 2", "A"]
    found = settle([Seen("camera", name, f"h{n}") for n, name in enumerate(names)])
    assert [d.name for d in found] == ["A", "A 2", "A 3"]


def test_a_card_that_the_sound_server_shows_or_has_switched_off_is_not_shown_again() -> None:
    def card(number: str) -> Seen:
        return Seen("microphone", f"Card {number}", f"alsa:hw:{number},0", card=number)

    served = Seen("microphone", "Anything", "pulse:one", card="0")
    off = Seen("speaker", "", "pulse-card:off", card="1", hidden=True)
    unplugged = Seen("microphone", "Jack", "pulse:jack", card="0", hidden=True)
    found = settle([served, off, unplugged, card("0"), card("1"), card("2")])
    assert [d.handle for d in found] == ["pulse:one", "alsa:hw:2,0"]


SEEN = st.builds(
    Seen,
    kind=st.sampled_from(DEVICE_KINDS),
    name=st.text(max_size=90),
    handle=st.text(max_size=9),
    model=st.text(max_size=90),
    bus=st.sampled_from(["usb", "pci", "bluetooth", "virtual", ""]),
)


@given(st.lists(SEEN, max_size=6))
def test_anything_that_a_driver_says_becomes_devices_with_labels_of_their_own(seen: list[Seen]) -> None:
    found = settle(seen)
    assert len({(d.kind, d.handle) for d in seen}) == len(found)
    assert len({(d.kind, d.label) for d in found}) == len({(d.kind, d.name) for d in found}) == len(found)
    assert all(d.label and len(d.label) <= LONGEST + 4 for d in found)


@given(SEEN)
def test_over_the_line_and_back(seen: Seen) -> None:
    assert from_line(to_line(seen)) == seen


@pytest.mark.parametrize("line", [{}, {"kind": "camera"}, {"kind": "fax", "name": "", "handle": ""}])
def test_what_is_no_device(line: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="not a"):
        from_line(line)
