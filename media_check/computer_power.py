"""How this computer is fed: charger, battery, and whether it holds back to save power."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from media_check.computer_part import Part, UnknownError, aside, output
from media_check.devices import sysfs
from media_check.errand import Errand
from reports.record import Fact

PLATFORM: str = sys.platform  # a plain str, so that a type checker reads on
SUPPLIES = Path("/sys/class/power_supply")
PROFILE = Path("/sys/firmware/acpi/platform_profile")
LOW_RATIO = 0.3  # an hour's meeting takes about a quarter of a laptop's battery
COMMAND_S = 1.0
SAVER_ON = 1  # SYSTEM_POWER_STATUS.SystemStatusFlag (winbase.h)
STILL = ("Charging", "Full", "Not charging")  # of a battery whose charger is there


@dataclass(frozen=True, slots=True)
class Power:
    """`ratio`: charge 0–1, None without a battery. `plugged`, `saving`: None: the system does not tell."""

    ratio: float | None = None
    plugged: bool | None = None
    saving: bool | None = None
    batteries: int | None = None  # None: it is not known whether there is one


def judge(power: Power) -> str:
    """A word of the policy's, or "unknown"."""
    if power.saving:
        return "saving"
    if power.plugged or (power.plugged is None and power.batteries == 0):
        return "mains"
    if power.plugged is None or power.ratio is None:
        return "unknown"
    return "battery_low" if power.ratio < LOW_RATIO else "battery"


async def ask(_: Errand) -> Part:
    """Value: battery_ratio. Facts: power (a word), power_saving (bool), charger (bool)."""
    power = await read()
    values = {} if power.ratio is None else {"battery_ratio": power.ratio}
    facts: dict[str, Fact] = {}
    if (word := judge(power)) != "unknown":
        facts["power"] = word
    if power.saving is not None:
        facts["power_saving"] = power.saving
    if power.plugged is not None:
        facts["charger"] = power.plugged
    return Part(values, facts, _reasons(power))


def _reasons(power: Power) -> Mapping[str, str]:
    silent = "the system does not tell"
    return {
        "battery_ratio": "this computer has no battery" if power.batteries == 0 else silent,
        "power": f"{silent} whether the charger is plugged in",
        "power_saving": f"{silent} whether it saves power",
    }


async def read() -> Power:
    """This computer's."""
    if PLATFORM == "win32":
        return await aside(_windows)
    if PLATFORM == "darwin":
        return from_pmset(await output(("pmset", "-g", "batt"), COMMAND_S), await output(("pmset", "-g"), COMMAND_S))
    power = await aside(lambda: from_sysfs(SUPPLIES))
    saver = saving(await aside(lambda: sysfs.text(PROFILE)), await output(("powerprofilesctl", "get"), COMMAND_S))
    return Power(power.ratio, power.plugged, saver, power.batteries)


# ---- Linux: Documentation/ABI/testing/sysfs-class-power ------------------------------------------------------------


def from_sysfs(root: Path) -> Power:
    """From the supplies of the computer itself; those of mice and headsets (scope "Device") are left out."""
    if not root.is_dir():
        raise UnknownError("the system does not tell of its power supplies")
    supplies = [s for s in sorted(root.iterdir()) if sysfs.text(s / "scope") != "Device"]
    batteries = [s for s in supplies if sysfs.text(s / "type") == "Battery" and sysfs.text(s / "present") != "0"]
    chargers = [o for s in supplies if sysfs.text(s / "type") in ("Mains", "USB") and (o := sysfs.text(s / "online"))]
    return Power(_charge(batteries), _plugged(chargers, batteries), None, len(batteries))


def _plugged(chargers: Sequence[str], batteries: Sequence[Path]) -> bool | None:
    """`chargers`: "0" or a higher number each. A battery that empties beside a weak charger still has one."""
    if any(online != "0" for online in chargers):
        return True
    states = [state for b in batteries if (state := sysfs.text(b / "status")) not in ("", "Unknown")]
    if states:
        return "Discharging" not in states and any(state in STILL for state in states)
    return False if chargers and batteries else None


def _charge(batteries: Sequence[Path]) -> float | None:
    """Of all together, by energy or charge where all tell it; else the mean of their percentages."""
    for unit in ("energy", "charge"):
        pairs = [(_number(b / f"{unit}_now"), _number(b / f"{unit}_full")) for b in batteries]
        now, full = [n for n, _ in pairs if n is not None], [f for _, f in pairs if f]
        if batteries and len(now) == len(full) == len(batteries):
            return min(1.0, sum(now) / sum(full))
    shares = [c for b in batteries if (c := _number(b / "capacity")) is not None]
    return min(1.0, sum(shares) / len(shares) / 100) if shares else None


def saving(profile: str, daemon: str | None) -> bool | None:
    """By the firmware's profile and by that of the power-profiles daemon (None: it is not there)."""
    said = [text.strip() for text in (profile, daemon or "") if text.strip()]
    return any(text in ("low-power", "quiet", "power-saver") for text in said) if said else None


def _number(path: Path) -> float | None:
    try:
        return float(sysfs.text(path))
    except ValueError:
        return None


# ---- macOS and Windows --------------------------------------------------------------------------------------------


def from_pmset(batteries: str | None, settings: str | None) -> Power:
    """From `pmset -g batt` and `pmset -g`, whose words are not translated."""
    if batteries is None:
        raise UnknownError("the system does not tell of its power supplies")
    shares = list(_percentages(batteries))
    modes = [line.split()[-1] for line in (settings or "").splitlines() if line.strip().startswith("lowpowermode ")]
    plugged = "'AC Power'" in batteries if "drawing from" in batteries else None
    return Power(
        sum(shares) / len(shares) if shares else None, plugged, modes[0] == "1" if modes else None, len(shares)
    )


def _percentages(text: str) -> Iterator[float]:
    for line in text.splitlines():
        share = line.partition("%")[0].split()[-1:] if "InternalBattery" in line and "%" in line else []
        if share and share[0].isdigit():
            yield int(share[0]) / 100


def from_status(line: int, flag: int, percent: int, saver: int) -> Power:
    """From SYSTEM_POWER_STATUS (winbase.h): ACLineStatus, BatteryFlag, BatteryLifePercent, SystemStatusFlag."""
    unclear = flag == 255  # which has all bits, that of "no battery" too
    none = not unclear and bool(flag & 128)
    ratio = percent / 100 if percent <= 100 and not none else None
    return Power(ratio, {0: False, 1: True}.get(line), saver == SAVER_ON, 0 if none else None if unclear else 1)


def _windows() -> Power:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = (
            ("line", ctypes.c_ubyte), ("flag", ctypes.c_ubyte), ("percent", ctypes.c_ubyte), ("saver", ctypes.c_ubyte),
            ("seconds", ctypes.c_ulong), ("full_seconds", ctypes.c_ulong),
        )  # fmt: skip

    status = Status()
    library = getattr(ctypes, "windll").kernel32  # noqa: B009 - there is none elsewhere
    if not library.GetSystemPowerStatus(ctypes.byref(status)):
        raise UnknownError("the system does not tell of its power supplies")
    return from_status(status.line, status.flag, status.percent, status.saver)
