"""Is the card for the login there? Readers by PC/SC, through pyscard where it is installed."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from media_check.computer_part import Part, UnknownError, aside
from media_check.devices import sysfs
from media_check.errand import Errand
from processes import child

PLATFORM: str = sys.platform  # a plain str, so that a type checker reads on
COMMAND = child.command("media_check.computer_child")
USB = Path("/sys/bus/usb/devices")
CARD_CLASS = "0b"  # USB device class "smart card" (usb.org)
PROGRAM = re.compile(r"\bSITHS\b|\bNet iD\b", re.I)
LINUX_PROGRAMS = ("iid", "netid", "siths-eid")
ENTRIES = (Path("/usr/share/applications"), Path("/usr/local/share/applications"))
APPLICATIONS = Path("/Applications")
NO_SERVICE = "no card service runs on this computer"
NO_LIBRARY = "the package pyscard is not installed"


@dataclass(frozen=True, slots=True)
class Readers:
    """None: not known."""

    readers: int | None = None
    cards: int | None = None
    reason: str = ""


def judge(found: Readers) -> str | None:
    """A word of the policy's; None: it cannot be told."""
    if found.readers is None or (found.readers > 0 and found.cards is None):
        return None
    return "no_reader" if found.readers == 0 else "card" if found.cards else "no_card"


async def ask(errand: Errand) -> Part:
    """Facts: card_reader (a word), card_readers (count), card_program (bool). No reader is named, no card is read.

    Only where a card is used: the profile says so, or a program for it is installed. Others log in by BankID, say, and
    miss nothing.
    """
    facts: dict[str, str | int | bool] = {}
    if (program := await aside(card_program)) is not None:
        facts["card_program"] = program
    if not (errand.card or program):
        return Part(facts=facts)
    found = await _readers()
    if found.readers is not None:
        facts["card_readers"] = found.readers
    if (word := judge(found)) is not None:
        facts["card_reader"] = word
    return Part(facts=facts, unknown={"card_reader": found.reason})


async def _readers() -> Readers:
    """By PC/SC, and by USB."""
    said: dict[str, object] = {}
    async with child.started(COMMAND) as process:
        await child.tell(process, {"job": "card"})
        async for line in child.lines(process):
            said |= line
    by_usb = await aside(lambda: usb_readers(USB)) if PLATFORM == "linux" else None
    return understood(said, by_usb)


def understood(said: Mapping[str, object], by_usb: int | None) -> Readers:
    """From the child's line and the count of USB readers, where the system tells it.

    Windows stops its card service while there is no reader: with neither, there is nothing that a card could go into.
    """
    if isinstance(readers := said.get("readers"), int) and isinstance(cards := said.get("cards"), int):
        return Readers(readers, cards)
    if "service" in said:
        return Readers(by_usb, None, NO_SERVICE) if by_usb else Readers(0, 0)
    if "missing" in said:
        return Readers(by_usb, None, NO_LIBRARY)
    return Readers(by_usb, None, str(said.get("reason", "the card service ended without an answer")))


def usb_readers(root: Path) -> int | None:
    """How many USB interfaces are of the smart card class; None: the system has no list of them."""
    if not root.is_dir():
        return None
    return sum(sysfs.text(path) == CARD_CLASS for path in root.glob("*/bInterfaceClass"))


def card_program() -> bool | None:
    """Whether a program for logging in by card is installed, by its name."""
    if PLATFORM == "win32":
        from media_check.computer_browsers_windows import installed

        return named(title for title, _ in installed())
    if PLATFORM == "darwin":
        return named(path.stem for path in APPLICATIONS.glob("*.app"))
    entries = (path for folder in ENTRIES for path in folder.glob("*.desktop"))
    return any(shutil.which(p) for p in LINUX_PROGRAMS) or named(path.stem for path in entries)


def named(titles: Iterable[str]) -> bool:
    """One of the titles is that of a program for logging in by card."""
    return any(PROGRAM.search(title) for title in titles)


# ---- in the child, because a card service may hang -----------------------------------------------------------------


def look() -> tuple[int, int] | None:
    """(readers, cards in them); None without a card service. ImportError without pyscard, UnknownError."""
    from smartcard import scard

    result, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
    if result in (scard.SCARD_E_NO_SERVICE, scard.SCARD_E_SERVICE_STOPPED):
        return None
    if result != scard.SCARD_S_SUCCESS:
        raise UnknownError("the card service does not take this program")
    try:
        result, readers = scard.SCardListReaders(context, [])
        if result in (scard.SCARD_E_NO_READERS_AVAILABLE, scard.SCARD_E_SERVICE_STOPPED) or not readers:
            return 0, 0
        asked = [(reader, scard.SCARD_STATE_UNAWARE) for reader in readers]
        result, states = scard.SCardGetStatusChange(context, 0, asked)
        if result != scard.SCARD_S_SUCCESS:
            raise UnknownError("the card service does not tell of its readers")
        return len(states), sum(bool(state & scard.SCARD_STATE_PRESENT) for _, state, *_ in states)
    finally:
        scard.SCardReleaseContext(context)
