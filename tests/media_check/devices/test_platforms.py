"""Windows' and macOS' words, understood anywhere. The calls that fetch them were not yet run there."""

from __future__ import annotations

from typing import Any

import pytest

from media_check.devices import macos, platform_module, windows
from media_check.devices.names import settle
from reports.record import DeviceKind, Form

INSIDE, OUTSIDE = windows.THIS_COMPUTER.upper(), "{5f9e4c4e-0000-11ee-b962-0242ac120002}"


def endpoint(words: str, interface: str, enumerator: str, factor: int, device: str = "") -> dict[str, Any]:
    return {
        windows.DESCRIPTION: words,
        windows.INTERFACE: interface,
        windows.ENUMERATOR: enumerator,
        windows.FORM_FACTOR: factor,
        windows.INSTANCE: f"{{1}}.{device}",
    }


PUCK = r"USB\VID_0B0E&PID_0412&MI_00\7&1A2B3C&0&0000"
WINDOWS: list[tuple[DeviceKind, dict[str, Any], str, Form, str]] = [
    (
        "microphone",
        endpoint("Mikrofon", "Jabra SPEAK 510 USB", "USB", 4, PUCK),
        OUTSIDE,
        "conference",
        "Jabra SPEAK 510 USB",
    ),
    ("speaker", endpoint("Hörlurar", "Annas AirPods", "BTHENUM", 3), "", "headset", "Bluetooth headset"),
    ("microphone", endpoint("Headset", "Annas AirPods Hands-Free", "BTHHFENUM", 5), "", "headset", "Bluetooth headset"),
    (
        "microphone",
        endpoint("Mikrofonmatris", "Realtek(R) Audio", "HDAUDIO", 4),
        INSIDE,
        "built_in",
        "Built-in microphone",
    ),
    (
        "speaker",
        endpoint("DELL U2722", "Intel(R) bildskärmsljud", "INTELAUDIO", 9),
        INSIDE,
        "unknown",
        "Intel(R) bildskärmsljud",
    ),
    ("speaker", endpoint("CABLE Input", "VB-Audio Virtual Cable", "ROOT", 1), "", "virtual", "Virtual speaker"),
    ("speaker", endpoint("Remote Audio", "Remote Audio", "SWD", 0), "", "virtual", "Virtual speaker"),
]


@pytest.mark.parametrize(("kind", "values", "container", "form", "label"), WINDOWS)
def test_windows_sound(kind: DeviceKind, values: dict[str, Any], container: str, form: Form, label: str) -> None:
    seen = windows.sound(kind, "{aa}", 1, values, "{0.0.1.00000000}.{AA}", container)
    (device,) = settle([seen])
    assert (device.form, device.label, device.is_default) == (form, label, True)
    assert device.name == f"{values[windows.DESCRIPTION]} ({values[windows.INTERFACE]})"
    assert device.handle == f"wasapi:{device.name}"


@pytest.mark.parametrize(("state", "shown"), [(1, True), (0x10000001, True), (2, False), (4, False), (8, False)])
def test_windows_states(state: int, shown: bool) -> None:
    seen = windows.sound("speaker", "{aa}", state, endpoint("x", "y", "USB", 1), "", "")
    assert bool(settle([seen])) is shown
    assert seen.is_default is None


LINK = r"\\?\usb#vid_046d&pid_0825&mi_00#7&3a1b&0&0000#{e5323777-f976-4f5b-9b55-b94699c46e44}\global"
VIRTUAL = r"\\?\swd#vcamdevapi#1234#{e5323777-f976-4f5b-9b55-b94699c46e44}\global"


def test_windows_cameras() -> None:
    seen = [
        windows.camera(0, LINK, "@oem12.inf,%cam%;HD Webcam", OUTSIDE),
        windows.camera(1, LINK, "Integrated Camera", INSIDE),
        windows.camera(2, VIRTUAL, "Annas bakgrund", ""),
    ]
    found = settle(seen)
    assert [d.handle for d in found] == ["msmf:0", "msmf:1", "msmf:2"]
    assert [d.label for d in found] == ["HD Webcam", "Integrated Camera", "Virtual camera"]
    assert [d.form for d in found] == ["usb", "built_in", "virtual"]
    assert windows.instance(LINK) == r"usb\vid_046d&pid_0825&mi_00\7&3a1b&0&0000"


def test_a_cameras_own_microphone_is_known_to_be_its() -> None:
    device = r"USB\VID_046D&PID_0825&MI_02\7&3A1B&0&0002"
    microphone = windows.sound(
        "microphone", "{aa}", 1, endpoint("Mikrofon", "HD Webcam", "USB", 4, device), "", OUTSIDE
    )
    assert microphone.unit == windows.camera(0, LINK, "HD Webcam", OUTSIDE).unit != ""


MAC_CAMERAS = {
    "SPCameraDataType": [
        {"_name": "FaceTime HD Camera", "spcamera_model-id": "UVC Camera VendorID_1452 ProductID_34068"},
        {"_name": "HD Pro Webcam C920", "spcamera_model-id": "UVC Camera VendorID_1133 ProductID_2093"},
        {"_name": "Kamera (Annas iPhone)", "spcamera_model-id": "iPhone15,2"},
    ]
}
MAC_SOUND = {
    "SPAudioDataType": [
        {
            "_name": "coreaudio_device",
            "_items": [
                {
                    "_name": "MacBook Pro Microphone",
                    "coreaudio_device_input": 1,
                    "coreaudio_device_transport": "coreaudio_device_type_builtin",
                },
                {
                    "_name": "Annas AirPods Pro",
                    "coreaudio_device_output": 2,
                    "coreaudio_device_input": 1,
                    "coreaudio_default_audio_output_device": "spaudio_yes",
                    "coreaudio_default_audio_input_device": "spaudio_yes",
                    "coreaudio_device_transport": "coreaudio_device_type_bluetooth",
                },
                {
                    "_name": "Jabra SPEAK 510 USB",
                    "coreaudio_device_output": 2,
                    "coreaudio_device_transport": "coreaudio_device_type_usb",
                },
                {
                    "_name": "BlackHole 2ch",
                    "coreaudio_device_output": 2,
                    "coreaudio_device_transport": "coreaudio_device_type_virtual",
                },
                {
                    "_name": "LG HDR 4K",
                    "coreaudio_device_output": 2,
                    "coreaudio_device_transport": "coreaudio_device_type_hdmi",
                },
            ],
        }
    ]
}


def test_macos_cameras() -> None:
    found = settle(macos.cameras_of(MAC_CAMERAS))
    assert [(d.handle, d.form) for d in found] == [
        ("avfoundation:0", "built_in"),
        ("avfoundation:1", "usb"),
        ("avfoundation:2", "virtual"),
    ]
    assert not [d for d in found if "Anna" in d.label]


def test_macos_sound() -> None:
    found = settle(macos.sounds_of(MAC_SOUND))
    assert {(d.kind, d.name): (d.form, d.is_default) for d in found} == {
        ("microphone", "MacBook Pro Microphone"): ("built_in", False),
        ("microphone", "Annas AirPods Pro"): ("headset", True),
        ("speaker", "Annas AirPods Pro"): ("headset", True),
        ("speaker", "Jabra SPEAK 510 USB"): ("conference", False),
        ("speaker", "BlackHole 2ch"): ("virtual", False),
        ("speaker", "LG HDR 4K"): ("unknown", False),
    }
    assert not [d for d in found if "Anna" in d.label]


@pytest.mark.parametrize("report", [{}, {"SPCameraDataType": 5, "SPAudioDataType": [5, {"_items": None}]}])
def test_macos_says_something_else(report: dict[str, Any]) -> None:
    assert macos.cameras_of(report) == macos.sounds_of(report) == []


@pytest.mark.parametrize("platform", ["linux", "win32", "darwin"])
def test_every_platform_has_the_same_shape(platform: str) -> None:
    from importlib import import_module

    sources = import_module(f"media_check.devices.{platform_module(platform)}").SOURCES
    assert set(sources) <= {"cameras", "sound_server", "sound_cards"}
    assert all(callable(source) for source in sources.values())
