"""Linux sound by PulseAudio's protocol, which PipeWire speaks too: what the user can choose among."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from . import sysfs
from .seen import Seen

if TYPE_CHECKING:
    from pulsectl.pulsectl import PulseCardInfo, PulseSinkInfo, PulseSourceInfo

    from reports.record import DeviceKind

PLACEHOLDERS = frozenset({"auto_null"})  # what the server shows when there is nothing
MADE_OF_SOFTWARE = frozenset({"abstract", "filter"})  # device.class
NETWORK_DRIVERS = ("module-tunnel", "module-raop", "module-rtp", "module-zeroconf")


def server() -> Sequence[Seen]:
    """() when none runs. None is started. Raises ImportError where pulsectl or libpulse is not installed.

    One that is stopped holds this up: the child's own time ends it.
    """
    try:
        from pulsectl import Pulse, PulseError
    except OSError as error:  # its own library
        raise ImportError("libpulse") from error

    with Pulse("motesklar", connect=False) as pulse:
        try:
            pulse.connect(autospawn=False)  # with a timeout, it always waits for so long
        except PulseError:
            return ()
        info = pulse.server_info()
        sources = [s for s in pulse.source_list() if s.monitor_of_sink_name is None]
        return [
            *(_seen("microphone", s, info.default_source_name) for s in sources),
            *(_seen("speaker", s, info.default_sink_name) for s in pulse.sink_list() if s.name not in PLACEHOLDERS),
            *(_card(c) for c in pulse.card_list()),
        ]


def _card(card: PulseCardInfo) -> Seen:
    """Hidden: it is here so that ALSA does not show again what the server has switched off."""
    number = card.proplist.get("alsa.card", "")
    return Seen("speaker", "", f"pulse-card:{card.name}", card=number, hidden=True)


def _seen(kind: DeviceKind, one: PulseSourceInfo | PulseSinkInfo, default: str) -> Seen:
    said = one.proplist
    active, card = one.port_active, said.get("alsa.card", "")
    hardware = sysfs.behind(Path(f"/sys/class/sound/card{card}")) if card else sysfs.Hardware()
    return Seen(
        kind, one.description, f"pulse:{one.name}", model=_model(said) or hardware.model, bus=_bus(one),
        driver=hardware.driver, unit=hardware.unit, card=card, factor=said.get("device.form_factor", ""),
        port=active.name if active else "", terminals=hardware.terminals, fixed=hardware.fixed,
        is_default=one.name == default, hidden=_unplugged(one),
    )  # fmt: skip


def _unplugged(one: PulseSourceInfo | PulseSinkInfo) -> bool:
    """Nothing is in any of its sockets. "unknown" is not that."""
    return bool(one.port_list) and all(port.available_state == "no" for port in one.port_list)


def _bus(one: PulseSourceInfo | PulseSinkInfo) -> str:
    said = one.proplist
    if one.driver.startswith(NETWORK_DRIVERS) or said.get("device.bus") == "network":
        return "network"
    software = said.get("device.class") in MADE_OF_SOFTWARE or said.get("node.virtual") == "true"
    return "virtual" if software else said.get("device.bus", "")


def _model(said: dict[str, str]) -> str:
    """The hardware's own words; the description may be its user's."""
    maker, product = said.get("device.vendor.name", ""), said.get("device.product.name", "")
    if not product:
        return said.get("alsa.card_name", "")
    return product if not maker or maker.split()[0].lower() in product.lower() else f"{maker} {product}"
