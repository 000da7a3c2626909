"""Linux sound cards by ALSA: /proc/asound (which PCM devices there are) and /sys (what is behind a card)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from . import sysfs
from .seen import Seen

if TYPE_CHECKING:
    from reports.record import DeviceKind

CARD = re.compile(r"^\s*(\d+) \[(\S*)\s*\]: (.+?) - (.+)$", re.MULTILINE)
PCM = re.compile(r"^(\d+)-(\d+): (.*)$", re.MULTILINE)
DIRECTIONS: tuple[tuple[str, DeviceKind], ...] = (("capture", "microphone"), ("playback", "speaker"))
MONITOR = re.compile(r"^monitor_present\s+1$", re.MULTILINE)
VIRTUAL = {"Loopback": "snd_aloop", "Dummy": "snd_dummy"}  # as their drivers name themselves


def cards(sys: Path = Path("/sys"), proc: Path = Path("/proc/asound")) -> list[Seen]:
    """One for each PCM device and direction. ALSA's own default is a matter of configuration, and not known here."""
    found = {int(m[1]): m for m in CARD.finditer(sysfs.text(proc / "cards"))}
    out: list[Seen] = []
    for line in PCM.finditer(sysfs.text(proc / "pcm")):
        if card := found.get(int(line[1])):
            out += _pcm(card, int(line[2]), line[3], sys, proc)
    return out


def _pcm(card: re.Match[str], device: int, line: str, sys: Path, proc: Path) -> Iterator[Seen]:
    number, ident, driver, name = card.groups()
    words = [part.strip() for part in line.split(" : ")]
    if _screen(words[0]) and not any(MONITOR.search(sysfs.text(p)) for p in proc.glob(f"card{number}/eld#*")):
        return  # a socket without a screen
    hardware = sysfs.behind(sys / f"class/sound/card{number}")
    pcm = words[0] or (words[1] if len(words) > 1 else "")
    for direction, kind in DIRECTIONS:
        if any(part.startswith(f"{direction} ") for part in words):
            yield Seen(
                kind, f"{name}, {pcm}" if pcm and pcm != name else name, f"alsa:hw:{ident or number},{device}",
                model=_model(name, hardware, device), bus=hardware.bus, driver=VIRTUAL.get(driver, hardware.driver),
                unit=hardware.unit, card=number, port=pcm if _screen(pcm) else "", terminals=hardware.terminals,
                fixed=hardware.fixed,
            )  # fmt: skip


def _screen(words: str) -> bool:
    return any(word in words.lower() for word in ("hdmi", "displayport"))


def _model(name: str, hardware: sysfs.Hardware, device: int) -> str:
    model = hardware.model or name
    return f"{model} ({device})" if device else model
