import math

import pytest

from agent import options
from agent.options import Options, UsageError
from agent.settings import CheckSection, RoomSection, Settings
from media_check import CHECKS
from probes import PROBES
from reports.policy import load_policy
from reports.record import Link

NO = Settings()
BY_DEFAULT = tuple(name for name, entry in PROBES.items() if entry.default)


def link(name: str, kind: str = "wired", *, default: bool = False, metered: bool | None = None) -> Link:
    return Link(
        name=name, kind=kind, confidence=1.0, evidence=(), carrier=True, addresses=("192.0.2.1",), is_default=default,
        metered=metered,
    )  # type: ignore[arg-type]  # fmt: skip


LINKS = [link("eth0", default=True), link("wlan0", "wifi"), link("docker0", "other"), link("usb0", "tethered")]


def asked(**more: object) -> Options:
    return Options(
        **({"policy": load_policy(None), "room": None, "seconds": 1.0, "language": "en", "probes": ()} | more)
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("given", "set_", "expected"), [(None, 10, 10), (3.5, 10, 3.5), (1, 10, 1), (3600, 10, 3600), (None, 7, 7)]
)
def test_seconds(given: float | None, set_: float, expected: float) -> None:
    assert options.seconds_of(given, Settings(check=CheckSection(seconds=set_))) == expected


@pytest.mark.parametrize("absurd", [0, -5, 1e9, 0.999, 3601, math.nan, math.inf, -math.inf])
def test_absurd_seconds(absurd: float) -> None:
    with pytest.raises(UsageError, match=r"--seconds must be between 1 and 3600, not \S+$"):
        options.seconds_of(absurd, NO)
    with pytest.raises(UsageError, match="seconds must be between"):
        options.seconds_of(None, Settings(check=CheckSection(seconds=absurd)))


@pytest.mark.parametrize(("given", "set_", "expected"), [(None, None, None), (0.1, None, 0.1), (5, 9, 5), (None, 9, 9)])
def test_budget(given: float | None, set_: float | None, expected: float | None) -> None:
    assert options.budget_of(given, Settings(check=CheckSection(budget_mb=set_))) == expected


@pytest.mark.parametrize("absurd", [-0.1, -1, 1e6, math.nan, math.inf])
def test_absurd_budgets(absurd: float) -> None:
    with pytest.raises(UsageError, match="--budget-mb must be between"):
        options.budget_of(absurd, NO)


@pytest.mark.parametrize("absurd", [0, -1, 0.5, 1001, math.nan, math.inf])
def test_absurd_intervals(absurd: float) -> None:
    with pytest.raises(UsageError, match="--isochronous-ms must be between"):
        options.interval_of(absurd)


@pytest.mark.parametrize(
    ("only", "skip", "expected"),
    [
        ((), (), BY_DEFAULT),
        (("echo",), (), ("echo",)),
        (("echo,echo", " echo "), (), ("echo",)),
        (("internet_speed",), (), ("internet_speed",)),
        ((",",), (), BY_DEFAULT),
    ],
)
def test_probes(only: tuple[str, ...], skip: tuple[str, ...], expected: tuple[str, ...]) -> None:
    assert options.probes_of(only, skip) == expected


@pytest.mark.parametrize(
    ("only", "skip", "says"),
    [
        (("eco",), (), "--only: there is no probe 'eco'; did you mean echo?"),
        (("echo,zzz",), (), "--only: there is no probe 'zzz'; there are: "),
        ((), ("zzz",), "--skip: there is no probe 'zzz'"),
        (("echo",), ("echo",), "leave nothing to test"),
        ((), (*PROBES, *CHECKS), "leave nothing to test"),
        (("camera",), ("camera",), "leave nothing to test"),
        (("camra",), (), "--only: there is no probe 'camra'; did you mean camera?"),
    ],
)
def test_wrong_probes(only: tuple[str, ...], skip: tuple[str, ...], says: str) -> None:
    with pytest.raises(UsageError) as error:
        options.probes_of(only, skip)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("only", "skip", "devices", "expected"),
    [
        ((), (), True, tuple(CHECKS)),
        ((), (), False, ()),
        (("echo",), (), True, ()),
        (("echo,camera",), (), True, ("camera",)),
        ((), ("camera,speaker",), True, ("equipment", "microphone", "computer")),
        ((), tuple(PROBES), True, tuple(CHECKS)),
    ],
)
def test_checks(only: tuple[str, ...], skip: tuple[str, ...], devices: bool, expected: tuple[str, ...]) -> None:
    assert options.checks_of(only, skip, devices=devices) == expected


def test_devices_alone_can_be_what_is_left_out() -> None:
    with pytest.raises(UsageError, match="--no-devices"):
        options.probes_of((), tuple(PROBES), devices=False)


@pytest.mark.parametrize(
    ("alone", "several", "expected"), [(False, False, None), (True, False, "alone"), (False, True, "several")]
)
def test_company(alone: bool, several: bool, expected: str | None) -> None:
    assert options.company_of(alone=alone, several=several) == expected


def test_alone_and_several() -> None:
    with pytest.raises(UsageError, match="contradict"):
        options.company_of(alone=True, several=True)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, ["eth0"]),
        ({"links": ("wlan0",)}, ["wlan0"]),
        ({"links": ("usb0", "eth0", "usb0")}, ["usb0", "eth0"]),
        ({"links": ("docker0",)}, ["docker0"]),  # asked for by name
        ({"all_links": True}, ["eth0", "wlan0", "usb0"]),
        ({"all_links": True, "links": ("usb0",)}, ["usb0"]),
    ],
)
def test_links(more: dict[str, object], expected: list[str]) -> None:
    assert [chosen.name for chosen in options.pick_links(asked(**more), LINKS)] == expected


def test_no_link_in_use_means_none_tested() -> None:
    assert options.pick_links(asked(), LINKS[1:]) == []


@pytest.mark.parametrize(
    ("name", "says"), [("eth1", "did you mean eth0?"), ("", "there are: docker0, eth0"), ("ppp", "there are:")]
)
def test_an_unknown_link(name: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        options.pick_links(asked(links=("eth0", name)), LINKS)
    assert f"there is no link {name!r}; " in str(error.value)
    assert says in str(error.value)


@pytest.mark.parametrize(
    ("url", "set_", "host"),
    [
        (None, None, None),
        ("embedded", "https://set", None),
        (None, "embedded", None),
        (None, "https://set", "set"),
        ("https://asked:1", "https://set", "asked"),
        ("stamp://router", None, "router"),
    ],
)
def test_room(url: str | None, set_: str | None, host: str | None) -> None:
    room = options.room_of(url, Settings(room=RoomSection(set_, "token")))
    assert (room.host if room else None) == host
    if room is not None and not room.plain:
        assert room.token == "token"


@pytest.mark.parametrize(
    "url", ["", "room", "http://room", "https://", "https://a:x", "https://a:99999", "https://a#sha256=12"]
)
@pytest.mark.parametrize("by", ["option", "settings"])
def test_wrong_rooms(url: str, by: str) -> None:
    """An empty one too: a script whose variable is not set must not hear of a good network that nobody tested."""
    given, chosen = (url, NO) if by == "option" else (None, Settings(room=RoomSection(url)))
    with pytest.raises(UsageError):
        options.room_of(given, chosen)


@pytest.mark.parametrize(
    ("asked_", "set_", "variable", "expected"),
    [
        ("en", "sv", "sv_SE", "en"),
        (None, "sv", "en_US", "sv"),
        (None, None, "en_GB.UTF-8", "en"),
        (None, None, "sv_SE", "sv"),
        (None, None, "fi_FI", "sv"),
    ],
)
def test_language(
    monkeypatch: pytest.MonkeyPatch, asked_: str | None, set_: str | None, variable: str, expected: str
) -> None:
    monkeypatch.setenv("LC_ALL", variable)
    assert options.language_of(asked_, Settings(check=CheckSection(language=set_))) == expected


@pytest.mark.parametrize("wrong", ["no", "SV", "", "english"])
def test_wrong_language(wrong: str) -> None:
    with pytest.raises(UsageError, match="--lang must be sv or en"):
        options.language_of(wrong, NO)


@pytest.mark.parametrize(
    ("budget", "of", "expected"),
    [
        (2.0, link("a"), 2e6),
        (2.0, link("a", "mobile"), 2e6),
        (None, None, 50e6),
        (None, link("a"), 50e6),
        (None, link("a", "wifi"), 50e6),
        (None, link("a", "wifi", metered=True), 3e6),
        (None, link("a", "tethered", metered=False), 3e6),
        (None, link("a", "mobile"), 3e6),
    ],
)
def test_budget_by_kind_of_link(budget: float | None, of: Link | None, expected: float) -> None:
    assert options.budget_bytes(asked(budget_mb=budget), of) == expected
