"""Which form a device has, from what systems really say of such devices; and that unsure is said to be unsure."""

from __future__ import annotations

import re

import pytest

from media_check.devices.forms import shape
from media_check.devices.seen import Seen
from reports.record import DeviceKind, Form


def seen(kind: DeviceKind = "microphone", name: str = "?", **said: object) -> Seen:
    return Seen(kind, name, "handle", **said)  # type: ignore[arg-type]


CASES: list[tuple[Form, Seen]] = [
    # cameras
    ("built_in", seen("camera", "Integrated Camera", bus="usb", fixed=True, driver="uvcvideo")),
    ("built_in", seen("camera", "Integrated_Webcam_HD", bus="usb", fixed=True)),
    ("usb", seen("camera", "HD Pro Webcam C920", bus="usb", fixed=False, driver="uvcvideo")),
    ("usb", seen("camera", "USB2.0 PC CAMERA", bus="usb")),
    ("conference", seen("camera", "Logitech MeetUp", model="Logitech MeetUp", bus="usb")),
    ("conference", seen("camera", "Jabra PanaCast 20", model="GN Netcom A/S Jabra PanaCast 20", bus="usb")),
    ("virtual", seen("camera", "vivid", bus="platform", driver="vivid")),
    ("virtual", seen("camera", "OBS Virtual Camera", bus="virtual", driver="v4l2 loopback")),
    ("virtual", seen("camera", "OBS Virtual Camera")),
    ("built_in", seen("camera", "FaceTime HD Camera", bus="platform", fixed=True)),
    # conference units
    ("conference", seen(name="Jabra SPEAK 510 USB", model="Jabra SPEAK 510 USB", bus="usb", factor="headset")),
    ("conference", seen(name="Jabra Speak2 75", model="Jabra Speak2 75", bus="usb", terminals=(0x0405,))),
    ("conference", seen("speaker", "Poly Sync 20", model="Poly Sync 20", bus="usb")),
    ("conference", seen("speaker", "Mikrofonpuck", bus="usb", terminals=(0x0405, 0x0201), fixed=False)),
    ("conference", seen(name="Yealink CP900", model="Yealink CP900", bus="usb", terminals=(0x0402,))),
    ("conference", seen(name="Speakerphone (Jabra SPEAK 750)", model="Jabra SPEAK 750", bus="bluetooth")),
    # headsets
    ("headset", seen(name="Jabra Evolve 65", model="Jabra Evolve 65", bus="usb", factor="headset")),
    ("headset", seen(name="Plantronics Blackwire 3220 Series", model="Plantronics Blackwire 3220 Series", bus="usb")),
    ("headset", seen(name="Logitech USB Headset H340", model="Logitech USB Headset H340", bus="usb")),
    ("headset", seen(name="Okänd", model="A USB thing", bus="usb", terminals=(0x0402, 0x0302))),
    ("headset", seen("speaker", "Annas AirPods", bus="bluetooth", factor="headset")),
    ("headset", seen("speaker", "Hörlurar (Realtek Audio)", bus="pci", factor="headphone")),
    ("headset", seen("speaker", "Built-in Audio", bus="pci", port="analog-output-headphones")),
    ("headset", seen(name="Built-in Audio", bus="pci", port="analog-input-headset-mic")),
    # the rest
    ("built_in", seen(name="Built-in Audio", bus="pci", port="analog-input-internal-mic", factor="internal")),
    ("built_in", seen("speaker", "HDA Intel PCH, ALC257 Analog", model="HDA Intel PCH", bus="pci")),
    ("usb", seen(name="C920", bus="usb", factor="webcam")),
    ("bluetooth", seen("speaker", "UE BOOM", bus="bluetooth")),
    ("virtual", seen("speaker", "Null Output", bus="virtual")),
    ("virtual", seen("speaker", "Loopback", bus="platform", driver="snd_aloop")),
    ("unknown", seen("speaker", "HDA Intel HDMI", bus="pci", port="hdmi-output-0")),
    ("unknown", seen(name="något")),
]


@pytest.mark.parametrize(("form", "device"), CASES, ids=[f"{d.kind}-{d.name}-{n}" for n, (_, d) in enumerate(CASES)])
def test_form(form: Form, device: Seen) -> None:
    found = shape(device)
    assert (found.what, found.evidence) == (form, found.evidence)
    assert 0 <= found.confidence < 1
    assert found.evidence


def test_words_inside_words_are_no_names() -> None:
    for name in ("Obsidian Microphone", "Jobs Audio", "Internally Balanced", "Meetings"):
        assert shape(seen(name=name, bus="usb")).what == "usb", name


def test_one_name_alone_is_never_sure_and_proof_is() -> None:
    assert shape(seen("speaker", "Konferenshögtalare")).confidence == 0
    assert 0.4 < shape(seen("speaker", "Speakerphone")).confidence <= 0.7
    assert shape(seen("camera", "vivid", driver="vivid")).confidence > 0.95


def test_what_speaks_against_it_is_told_and_takes_confidence() -> None:
    plain = shape(seen(name="Jabra SPEAK 510", model="Jabra SPEAK 510", bus="usb"))
    doubtful = shape(seen(name="Jabra SPEAK 510", model="Jabra SPEAK 510", bus="usb", factor="headset"))
    assert plain.what == doubtful.what == "conference"
    assert doubtful.confidence < plain.confidence
    assert "also: the system calls it a headset" in doubtful.evidence


def test_one_thing_with_camera_microphone_and_speaker_is_likely_a_conference_unit() -> None:
    kinds: tuple[DeviceKind, ...] = ("camera", "microphone", "speaker")
    bar = [seen(kind, "Bar", bus="usb", unit="1-2") for kind in kinds]
    webcam = bar[:2]
    alone, together = shape(bar[2]), shape(bar[2], bar)
    assert "camera, microphone and loudspeaker are one thing" in " ".join(together.evidence)
    assert together.confidence < alone.confidence, "it speaks against its being a plain USB speaker"
    assert shape(webcam[1], webcam).what == "usb"
    assert shape(webcam[1], webcam).confidence > shape(webcam[1]).confidence


def test_evidence_names_no_product() -> None:
    words = " ".join(word for _, device in CASES for word in shape(device).evidence)
    assert not re.search(r"jabra|poly|logitech|anna|\d{2}", words, re.IGNORECASE)
