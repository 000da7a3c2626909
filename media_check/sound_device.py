"""Sound devices by their handles, for children that open them through PortAudio; and why one could not be opened.

PortAudio lists what was there when it was first imported, so only a fresh child may use this, or one that lists again.
Handles are those of media_check.devices: `pulse:NAME` (a source or sink of PulseAudio or PipeWire),
`alsa:hw:CARD,DEVICE`, and on other systems `SYSTEM:NAME`, the device's name there.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import sys
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

RATE = 48000
LEVEL_EACH_S = 0.1
FIRST_SOUND_S = 2.0  # a Bluetooth headset needs about a second to become a microphone
SIDES = {
    "microphone": ("PULSE_SOURCE", "c", "max_input_channels"),
    "speaker": ("PULSE_SINK", "p", "max_output_channels"),
}
ERRNOS = {
    errno.EBUSY: "busy",
    errno.EACCES: "forbidden",
    errno.EPERM: "forbidden",
    errno.ENOENT: "vanished",
    errno.ENODEV: "vanished",
    errno.ENXIO: "vanished",
}
WINDOWS_DENIED = -2147024891  # E_ACCESSDENIED
WINDOWS_IN_USE = -2004287478  # AUDCLNT_E_DEVICE_IN_USE
WINDOWS_GONE = -2004287484  # AUDCLNT_E_DEVICE_INVALIDATED
WINDOWS = {WINDOWS_DENIED: "forbidden", WINDOWS_IN_USE: "busy", WINDOWS_GONE: "vanished"}
PULSE_WAITS_S = 1.0


class SoundFailure(Exception):  # noqa: N818 - data for the parent, not an error
    """`code`: one of the vocabulary's failure codes."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def library() -> Any:
    """sounddevice. SoundFailure: it, or PortAudio beneath it, is not installed or does not start."""
    try:
        import sounddevice
    except ImportError:
        raise SoundFailure("device_library_missing", "sounddevice") from None
    except OSError:
        raise SoundFailure("device_library_missing", "PortAudio") from None
    except Exception as error:
        if type(error).__name__ != "PortAudioError":
            raise
        raise SoundFailure("sound_system_missing", "PortAudio does not start") from None
    return sounddevice


def list_again(sounddevice: Any) -> None:
    """For devices that were plugged in since the library was imported. No stream may be open: it would be closed.

    SoundFailure: PortAudio does not start again; it may do so the next time.
    """
    try:
        if sounddevice._initialized:
            sounddevice._terminate()
        sounddevice._initialize()
    except sounddevice.PortAudioError:
        raise SoundFailure("sound_system_missing", "PortAudio does not start") from None


def sound_system() -> bool:
    """Is there something that plays and records at all: a driver, or a server that may have devices elsewhere?"""
    if sys.platform != "linux":
        return True
    folder = Path(os.environ.get("XDG_RUNTIME_DIR", f"/run/user/{os.getuid()}"))
    return bool(os.environ.get("PULSE_SERVER")) or Path("/proc/asound").is_dir() or (folder / "pulse/native").exists()


def find(sounddevice: Any, kind: str, handle: str) -> int:
    """PortAudio's number of a microphone or speaker; for PulseAudio the environment is told which one it then is.

    SoundFailure: PortAudio does not have it, with the reason that the system gives.
    """
    system, _, name = handle.partition(":")
    if system == "pulse":
        os.environ |= {SIDES[kind][0]: name, "PIPEWIRE_NODE": name}
    names = _names(system, name)
    channels = SIDES[kind][2]
    for number, device in enumerate(sounddevice.query_devices()):
        if device[channels] > 0 and _matches(system, names, device["name"]) and _host(sounddevice, device):
            return number
    plugin = SoundFailure("device_library_missing", "ALSA's plugin for PulseAudio or PipeWire")
    raise explained(kind, handle, plugin if system == "pulse" else SoundFailure(f"{kind}_vanished", "not listed"))


def explained(kind: str, handle: str, otherwise: Exception) -> SoundFailure:
    """Why the device cannot be opened, or was lost: what its driver or server says, else what PortAudio said."""
    system, _, name = handle.partition(":")
    if system == "alsa" and (word := _alsa_trouble(SIDES[kind][1], name)):
        return SoundFailure(f"{kind}_{word}")
    if system == "pulse" and (failure := _pulse_trouble(kind, name)):
        return failure
    if isinstance(otherwise, SoundFailure):
        return otherwise
    host = otherwise.args[2][1] if len(otherwise.args) > 2 else 0
    return SoundFailure(f"{kind}_{WINDOWS.get(host, 'busy')}", _words(otherwise))


def muted(kind: str, handle: str) -> bool | None:
    """By the sound server's own switch. None: it does not tell. SoundFailure: the server no longer has the device.

    A server moves a program whose microphone was unplugged to another one, in silence: ask after listening.
    """
    system, _, name = handle.partition(":")
    if system != "pulse":
        return None
    try:
        device = _pulse_device(kind, name)
    except (ImportError, OSError):
        return None
    if device is None:
        raise SoundFailure(f"{kind}_vanished")
    return bool(device.mute)


def _words(error: Exception) -> str:
    """PortAudio's own, which name no device."""
    return str(error.args[0]) if error.args else type(error).__name__


def _names(system: str, name: str) -> tuple[str, ...]:
    """How PortAudio may call it. An ALSA card is known there by its number, which its handle may give as a name."""
    if system == "pulse":
        return "pulse", "pipewire"
    if system != "alsa":
        return (name,)
    card, _, device = name.removeprefix("hw:").partition(",")
    with contextlib.suppress(OSError):
        card = str((Path("/proc/asound") / card).readlink()).removeprefix("card")
    return (f"(hw:{card},{device or 0})",)


def _matches(system: str, names: tuple[str, ...], found: str) -> bool:
    return found.endswith(names[0]) if system == "alsa" else found in names


def _host(sounddevice: Any, device: Any) -> bool:
    """Of Windows' host systems WASAPI only: MME cuts names off, and the others open a device for themselves alone."""
    return sys.platform != "win32" or "WASAPI" in sounddevice.query_hostapis(device["hostapi"])["name"]


def _alsa_trouble(side: str, name: str) -> str | None:
    """What opening the device's own file says."""
    (numbers,) = _names("alsa", name)
    found = re.fullmatch(r"\(hw:(\d+),(\d+)\)", numbers)
    if found is None:
        return "vanished"
    try:
        os.close(os.open(f"/dev/snd/pcmC{found[1]}D{found[2]}{side}", os.O_RDWR | os.O_NONBLOCK))
    except OSError as error:
        return ERRNOS.get(error.errno or 0)
    return None


def _pulse_trouble(kind: str, name: str) -> SoundFailure | None:
    """What its server says. A device that it has and does not give is one that a program holds behind its back."""
    try:
        device = _pulse_device(kind, name)
    except SoundFailure as failure:
        return failure
    except (ImportError, OSError):
        return None
    return SoundFailure(f"{kind}_vanished") if device is None else None


def _pulse_device(kind: str, name: str) -> Any:
    """The server's own record of it; None: it has no such device. SoundFailure: the server does not answer.

    ImportError, OSError: pulsectl, or libpulse beneath it, is not installed.
    """
    import pulsectl

    kept: Queue[tuple[Any, bool]] = Queue()

    def ask() -> None:
        try:
            with pulsectl.Pulse("devices") as pulse:
                found = pulse.source_list() if kind == "microphone" else pulse.sink_list()
                kept.put((next((d for d in found if d.name == name), None), True))
        except pulsectl.PulseError:
            kept.put((None, False))

    # connect()'s own timeout always lasts to its end, so the patience is ours
    Thread(target=ask, daemon=True).start()
    with contextlib.suppress(Empty):
        device, answered = kept.get(timeout=PULSE_WAITS_S)
        if answered:
            return device
    raise SoundFailure("sound_system_missing", "the sound server does not answer")
