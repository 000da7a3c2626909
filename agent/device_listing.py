"""`motesklar devices`: cameras, microphones and speakers, what form each has, and why."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.advice import Lang
from reports.record import DEVICE_KINDS, Device, DeviceKind

if TYPE_CHECKING:
    from media_check.devices import Found

PERSONAL = ("name", "handle")  # either may hold a person's name or a serial number


def show(language: Lang, *, as_json: bool, names: bool) -> None:
    """Print them. Names are shown on this screen; a document, which may be sent on, has labels unless asked."""
    from media_check.devices import look
    from reports.advice import text

    found = asyncio.run(look())
    if as_json:
        rows = [_row(device, names=names) for device in found.devices]
        why = {"unanswered": found.unanswered, "unknown": dict(found.unknown)}
        document = {"schema": "motesklar.devices/1", "devices": rows, **why}
        print(json.dumps(document, ensure_ascii=False))
        return
    _table(found, language)
    for source in found.unanswered:
        print(text(f"devices.unanswered_{source}", language), file=sys.stderr)


def _row(device: Device, *, names: bool) -> Mapping[str, Any]:
    hidden = () if names else PERSONAL
    return {key: value for key, value in dataclasses.asdict(device).items() if key not in hidden}


def _table(found: Found, language: Lang) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from reports.advice import text

    table = Table(box=None, pad_edge=False)
    for heading in ("kind", "name", "form", "sure", "state", "why"):
        table.add_column(text(f"devices.{heading}", language))
    for kind in DEVICE_KINDS:
        none = text("devices.unknown" if kind in found.unknown else "devices.none", language)
        for cells in _rows(kind, [d for d in found.devices if d.kind == kind], none, language):
            table.add_row(*(Text(cell) for cell in cells))  # Text: a name may look like rich's own markup
    Console().print(table)


def _rows(kind: DeviceKind, devices: Sequence[Device], none: str, language: Lang) -> list[Sequence[str]]:
    """The table's cells; `none` is said in place of a device."""
    from reports.advice import text

    kind_word = text(f"devices.{kind}", language)
    if not devices:
        return [(kind_word, none, "", "", "", "")]
    return [
        (
            kind_word,
            device.name,
            text(f"devices.form_{device.form}", language),
            f"{device.confidence:.0%}",
            text("devices.default", language) if device.is_default else "",
            "; ".join(device.evidence),
        )
        for device in devices
    ]
