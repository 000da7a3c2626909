"""macOS: what keeps the computer awake for sound, and what the camera's driver says. Written by documentation only.

Both programs print words that are not translated.
"""

from __future__ import annotations

import re

from agent.service.meeting import Devices

COMMAND_S = 1.5
_RECORDING = re.compile(r"^\s*Resources:.*\baudio-in\b", re.MULTILINE)
_CAMERA = re.compile(r'"FrontCamera(Active|Streaming)"\s*=\s*(Yes|No)')
_DATAGRAMS = re.compile(r"^\s*(\d+) datagrams? (received|output)$", re.MULTILINE)


async def devices(ours: int) -> Devices:  # noqa: ARG001 - neither program says whose it is
    """A camera on USB is not known of."""
    from media_check.computer_part import output

    sound = await output(("pmset", "-g", "assertions"), COMMAND_S)
    camera = await output(("ioreg", "-r", "-l", "-w", "0", "-c", "AppleH13CamIn"), COMMAND_S)
    return Devices(camera_in_use(camera), microphone_in_use(sound))


def microphone_in_use(assertions: str | None) -> bool | None:
    """From `pmset -g assertions`: coreaudiod names what it works for."""
    if assertions is None or "Assertion status" not in assertions:
        return None
    return bool(_RECORDING.search(assertions))


def camera_in_use(registry: str | None) -> bool | None:
    """From `ioreg` of the built-in camera. None: it has another driver."""
    said = {state for _, state in _CAMERA.findall(registry or "")}
    return "Yes" in said if said else None


def datagrams() -> tuple[int, int] | None:
    """From `netstat -s -p udp`."""
    import subprocess

    try:
        said = subprocess.run(
            ("/usr/sbin/netstat", "-s", "-p", "udp"), capture_output=True, text=True, timeout=COMMAND_S, check=False
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    return counted(said)


def counted(said: str) -> tuple[int, int] | None:
    """(received, sent)"""
    found = {what: int(number) for number, what in _DATAGRAMS.findall(said)}
    return (found["received"], found["output"]) if found.keys() >= {"received", "output"} else None
