"""What a platform saw of one device, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from reports.record import DeviceKind


@dataclass(frozen=True, slots=True)
class Seen:
    """Raw observations. "", () and None mean that the platform did not say.

    `name` is what the system shows, `model` the maker's words for it: the first may hold a person's name.
    """

    kind: DeviceKind
    name: str
    handle: str
    model: str = ""
    bus: str = ""  # usb | pci | platform | bluetooth | virtual | network
    driver: str = ""
    unit: str = ""  # the same for all that is one thing in the hand; for comparing, never shown
    card: str = ""  # Linux: ALSA's number of the sound card
    factor: str = ""  # the sound server's, or Windows', word for its shape: headset | webcam | internal | …
    port: str = ""  # the socket or transducer in use: analog-input-headset-mic | hdmi-output-0 | …
    terminals: tuple[int, ...] = ()  # USB terminal types (Universal Serial Bus Device Class for Terminal Types 1.0)
    fixed: bool | None = None  # the system says that it cannot be unplugged
    is_default: bool | None = None
    hidden: bool = False  # the system knows it, and has it unplugged or switched off


def to_line(seen: Seen) -> dict[str, Any]:
    """As JSON holds it."""
    return asdict(seen)


def from_line(line: Mapping[str, Any]) -> Seen:
    """Raises ValueError when it is none."""
    from reports.record import DEVICE_KINDS

    known = {f.name for f in fields(Seen)}
    try:
        given: dict[str, Any] = {key: tuple(v) if isinstance(v, list) else v for key, v in line.items() if key in known}
        found = Seen(**given)
    except TypeError as error:
        raise ValueError("not a device") from error
    if found.kind not in DEVICE_KINDS:
        raise ValueError("not a kind of device")
    return found
