"""Linux: what the radio says of itself, by nl80211 (pyroute2). Unprivileged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from reports.record import Wifi

from .rtnl import messages

ROLES = {1: "IBSS", 2: "station", 3: "AP", 4: "AP", 6: "monitor", 7: "mesh", 8: "station", 9: "AP", 10: "P2P"}
# enum nl80211_chan_width (linux/nl80211.h), in Hz
WIDTHS_HZ = {0: 20e6, 1: 20e6, 2: 40e6, 3: 80e6, 4: 160e6, 5: 160e6, 6: 5e6, 7: 10e6, 13: 320e6}
RATE_UNIT_BYTES = 100_000 / 8  # bit rates come in units of 100 kbit/s


@dataclass(frozen=True, slots=True)
class Radio:
    """`wifi` is None when the radio is not joined to anything."""

    role: str = ""
    wifi: Wifi | None = None


def band_of(frequency_hz: float | None) -> str | None:
    """The band's name, by IEEE 802.11 channel plans."""
    if frequency_hz is None:
        return None
    bands = ((2.4e9, 2.5e9, "2.4 GHz"), (4.9e9, 5.9e9, "5 GHz"), (5.925e9, 7.125e9, "6 GHz"))
    return next((name for low, high, name in bands if low <= frequency_hz <= high), None)


def _rate(info: Any) -> float | None:
    """A rate_info attribute in bytes per second."""
    if info is None:
        return None
    units = info.get_attr("NL80211_RATE_INFO_BITRATE32") or info.get_attr("NL80211_RATE_INFO_BITRATE")
    return units * RATE_UNIT_BYTES if units else None


def wifi_of(interface: Any, station: Any) -> Wifi:
    """From the interface's message and the access point's station info (either may be None)."""
    attr = interface.get_attr if interface is not None else lambda _: None
    info = station.get_attr if station is not None else lambda _: None
    mhz, width = attr("NL80211_ATTR_WIPHY_FREQ"), attr("NL80211_ATTR_CHANNEL_WIDTH")
    signal = info("NL80211_STA_INFO_SIGNAL")
    signal = signal if signal is not None else info("NL80211_STA_INFO_SIGNAL_AVG")
    frequency = mhz * 1e6 if mhz else None
    return Wifi(
        signal_dbm=None if signal is None else float(signal),
        frequency_hz=frequency,
        band=band_of(frequency),
        width_hz=WIDTHS_HZ.get(width) if width is not None else None,
        tx_rate_bytes_per_second=_rate(info("NL80211_STA_INFO_TX_BITRATE")),
        rx_rate_bytes_per_second=_rate(info("NL80211_STA_INFO_RX_BITRATE")),
        tx_packets=info("NL80211_STA_INFO_TX_PACKETS"),
        tx_retries=info("NL80211_STA_INFO_TX_RETRIES"),
        tx_failed=info("NL80211_STA_INFO_TX_FAILED"),
    )


async def _first(answer: Any) -> Any:
    found = await messages(answer)
    return found[0] if found else None


async def _radio(iw: Any, index: int) -> Radio:
    interface = await _first(iw.get_interface_by_ifindex(index))
    role = ROLES.get(interface.get_attr("NL80211_ATTR_IFTYPE"), "") if interface is not None else ""
    station = await _first(iw.get_stations(index)) if role == "station" else None
    if station is None:
        return Radio(role)
    return Radio(role, wifi_of(interface, station.get_attr("NL80211_ATTR_STA_INFO")))


async def radios(indices: Iterable[int]) -> dict[int, Radio]:
    """What each radio says, by interface index; one that does not answer is left out."""
    from pyroute2.iwutil import AsyncIW
    from pyroute2.netlink.exceptions import NetlinkError

    found: dict[int, Radio] = {}
    async with AsyncIW() as iw:
        try:
            await iw.bind()
            for index in indices:
                found[index] = await _radio(iw, index)
        except (NetlinkError, OSError):
            return found  # no nl80211 here, or the radio went away meanwhile
    return found


@asynccontextmanager
async def station(index: int) -> AsyncIterator[Callable[[], Awaitable[Wifi | None]]]:
    """A question that can be asked again and again at little cost: what does this radio say of its access point?

    Its answer is None when the radio is not joined, or is gone. Raises `OSError` where there is no nl80211.
    """
    from pyroute2.iwutil import AsyncIW
    from pyroute2.netlink.exceptions import NetlinkError

    async with AsyncIW() as iw:
        try:
            await iw.bind()
        except NetlinkError as error:
            raise OSError(error.code, "no nl80211 here") from error

        async def ask() -> Wifi | None:
            try:
                said = await _first(iw.get_stations(index))
            except (NetlinkError, OSError):
                return None
            info = said.get_attr("NL80211_ATTR_STA_INFO") if said is not None else None
            return wifi_of(None, info) if info is not None else None

        yield ask
