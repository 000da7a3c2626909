"""Charger, battery and power saving, by trees as the kernel makes them and by what other systems say."""

from __future__ import annotations

from pathlib import Path

import pytest

from media_check import computer_power
from media_check.computer_part import UnknownError
from media_check.computer_power import Power, ask, from_pmset, from_status, from_sysfs, judge, saving
from tests.media_check.computing import errand, tree

MAINS = {"AC/type": "Mains", "AC/online": "1"}
UNPLUGGED = {"AC/type": "Mains", "AC/online": "0"}
MOUSE = {"hid/type": "Battery", "hid/scope": "Device", "hid/capacity": "5", "hid/status": "Discharging"}


def battery(name: str = "BAT0", **files: str) -> dict[str, str]:
    return {f"{name}/{file}": text for file, text in ({"type": "Battery", "present": "1"} | files).items()}


@pytest.mark.parametrize(("files", "power", "word"), [
    ({}, Power(None, None, None, 0), "mains"),
    (MAINS, Power(None, True, None, 0), "mains"),
    (UNPLUGGED, Power(None, None, None, 0), "mains"),  # a desktop whose adapter is not reported
    (MOUSE, Power(None, None, None, 0), "mains"),
    (MAINS | battery(capacity="10", status="Charging"), Power(0.1, True, None, 1), "mains"),
    (UNPLUGGED | battery(capacity="80", status="Discharging"), Power(0.8, False, None, 1), "battery"),
    (UNPLUGGED | battery(capacity="29", status="Discharging"), Power(0.29, False, None, 1), "battery_low"),
    (UNPLUGGED | battery(capacity="29", status="Unknown"), Power(0.29, False, None, 1), "battery_low"),
    (battery(capacity="50", status="Full"), Power(0.5, True, None, 1), "mains"),
    (battery(capacity="50", status="Discharging"), Power(0.5, False, None, 1), "battery"),
    (battery(capacity="50", status="Unknown"), Power(0.5, None, None, 1), "unknown"),
    (battery(status="Discharging"), Power(None, False, None, 1), "unknown"),
    (battery(present="0", capacity="0"), Power(None, None, None, 0), "mains"),
    (
        UNPLUGGED | battery(energy_now="10", energy_full="40") | battery("BAT1", energy_now="0", energy_full="10"),
        Power(0.2, False, None, 2), "battery_low",
    ),
    (UNPLUGGED | battery(charge_now="30", charge_full="20"), Power(1.0, False, None, 1), "battery"),
    (
        UNPLUGGED | battery(energy_now="9", energy_full="10", capacity="90") | battery("BAT1", capacity="10"),
        Power(0.5, False, None, 2), "battery",
    ),
    (UNPLUGGED | battery(energy_now="?", energy_full="0", capacity="x"), Power(None, False, None, 1), "unknown"),
])  # fmt: skip
def test_the_kernels_supplies(tmp_path: Path, files: dict[str, str], power: Power, word: str) -> None:
    found = from_sysfs(tree(tmp_path, files))
    assert (found, judge(found)) == (power, word)


def test_without_the_kernels_list_it_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(UnknownError, match="power supplies"):
        from_sysfs(tmp_path / "missing")


@pytest.mark.parametrize(("profile", "daemon", "saver"), [
    ("low-power", None, True), ("", "power-saver\n", True), ("balanced", "power-saver", True),
    ("balanced", None, False), ("", "performance", False), ("", None, None), ("", "", None),
])  # fmt: skip
def test_power_saving(profile: str, daemon: str | None, saver: bool | None) -> None:
    assert saving(profile, daemon) is saver


async def test_saving_is_said_also_on_mains(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    supplies = tree(tmp_path / "supplies", MAINS | battery(capacity="64"))
    monkeypatch.setattr(computer_power, "SUPPLIES", supplies)
    monkeypatch.setattr(computer_power, "PROFILE", tree(tmp_path, {"profile": "low-power"}) / "profile")
    part = await ask(errand())
    assert part.values == {"battery_ratio": 0.64}
    assert part.facts == {"power": "saving", "power_saving": True, "charger": True}


@pytest.mark.skipif(not computer_power.SUPPLIES.is_dir(), reason="this kernel tells of no power supplies")
async def test_what_this_computer_says_is_whole() -> None:
    part = await ask(errand())
    for name in ("power", "power_saving"):
        assert (name in part.facts) or part.unknown[name]
    assert all(0 <= value <= 1 for value in part.values.values())


PMSET_MAINS = "Now drawing from 'AC Power'\n"
PMSET_BATTERY = """Now drawing from 'Battery Power'
 -InternalBattery-0 (id=4522083)\t23%; discharging; 1:31 remaining present: true
 -Mouse (id=1)\t3%; discharging present: true
"""


@pytest.mark.parametrize(("batteries", "settings", "power"), [
    (PMSET_MAINS, " sleep 1\n lowpowermode         0\n", Power(None, True, False, 0)),
    (PMSET_BATTERY, " lowpowermode         1\n", Power(0.23, False, True, 1)),
    (PMSET_BATTERY, None, Power(0.23, False, None, 1)),
    ("", "", Power(None, None, None, 0)),
])  # fmt: skip
def test_macos(batteries: str, settings: str | None, power: Power) -> None:
    assert from_pmset(batteries, settings) == power


def test_macos_without_an_answer() -> None:
    with pytest.raises(UnknownError):
        from_pmset(None, None)


@pytest.mark.parametrize(("status", "power", "word"), [
    ((1, 128, 255, 0), Power(None, True, False, 0), "mains"),
    ((1, 8, 50, 0), Power(0.5, True, False, 1), "mains"),
    ((0, 1, 90, 0), Power(0.9, False, False, 1), "battery"),
    ((0, 4, 4, 0), Power(0.04, False, False, 1), "battery_low"),
    ((0, 1, 90, 1), Power(0.9, False, True, 1), "saving"),
    ((255, 255, 255, 0), Power(None, None, False, None), "unknown"),
])  # fmt: skip
def test_windows(status: tuple[int, int, int, int], power: Power, word: str) -> None:
    found = from_status(*status)
    assert (found, judge(found)) == (power, word)
