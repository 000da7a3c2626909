"""A self-test as Prometheus sees it: names, labels, what adds up, and what promtool says of it."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_check import CHECKS
from probes import PROBES, delay, loss, quality
from probes.join import STEPS
from reports.metrics import HELP, exposition, families
from reports.points import PROBES as LABELS
from reports.record import KINDS, AgentInfo, DeviceRecord, Link, Measurement, SelfTest
from reports.serial import from_json
from reports.vocabulary import NAMES
from tests.agent.program import document, run
from tests.probes.trips import fates, trace, trip
from tests.reports.exposed import Labels, read, wrong
from tests.reports.make import echo, good, link, self_test
from tests.reports.test_serial import self_tests

WIRED, WIFI = link(is_default=True), link("wlan0", "wifi")
Seen = dict[Labels, dict[str, float]]


def shown(*measurements: Measurement, links: Sequence[Link] = (WIRED,), named: bool = False, **more: object) -> Seen:
    test = replace(self_test(*measurements, links=tuple(links)), **more)
    return read(exposition(test, links=named))


def promtool(text: bytes) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, timeout=20)


needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="needs Prometheus's promtool")


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> SelfTest:
    done = run(tmp_path_factory.mktemp("home"), "check", "--room", "embedded", "--no-devices", "--seconds", 1, "--json")
    return from_json(document(done))


# ---- names


def test_every_quantity_has_a_family_and_nothing_else_has() -> None:
    assert {name for name in HELP if name.removeprefix("motesklar_") in NAMES} == {f"motesklar_{n}" for n in NAMES}
    assert len(HELP) == len(NAMES) + 6
    (found,) = (v for k, v in shown(echo(**dict.fromkeys(NAMES, 1.0))).items() if ("probe", "echo") in k)
    assert found.keys() > NAMES


def test_help_names_unit_and_standard_and_the_ends_of_an_interval() -> None:
    help_ = HELP["motesklar_rtt_mean_seconds"]
    assert help_.endswith("(seconds, RFC 2681)")
    assert HELP["motesklar_rtt_mean_seconds_ci95_low"].startswith(f"{help_.split(' (')[0]}, low end of its 95 %")
    assert HELP["motesklar_rtt_mean_seconds_ci95_high"].endswith(
        ", high end of its 95 % confidence interval (seconds, RFC 2681)"
    )


@needs_promtool
def test_promtool_finds_nothing_to_say(real: SelfTest) -> None:
    whole = self_test(echo(**dict.fromkeys(NAMES, 1.0)), echo("wlan0", failure="no_reply"), links=(WIRED, WIFI))
    for test in (whole, real):
        done = promtool(exposition(test, links=True))
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert promtool(b"# TYPE a_total gauge\na_total 1\n").returncode != 0


def test_the_probes_are_all_known() -> None:
    steps = {f"join_{name}" for name in STEPS}
    assert steps | PROBES.keys() | CHECKS.keys() | {"compare"} == LABELS


# ---- what is said


def test_one_link() -> None:
    m = replace(good(), duration_s=7.5, values={"mos_up": 4.25, "mos_down": float("nan")}, unknown={"loss_ratio": ""})
    of = (("link_kind", "wired"), ("probe", "echo"))
    assert shown(m)[of] == {"mos_up": 4.25, "probe_success": 1, "probe_duration_seconds": 7.5}


def test_a_failure_is_named_and_what_was_measured_before_it_stays() -> None:
    of = (("link_kind", "wired"), ("probe", "echo"))
    found = shown(echo(failure="no_reply", packets_sent=10))
    assert found[of] == {"packets_sent": 10, "probe_success": 0, "probe_duration_seconds": 10}
    assert found[(("code", "no_reply"), *of)] == {"failure_info": 1}
    assert not any("code" in dict(labels) for labels in shown(good()))


@pytest.mark.parametrize("level", ["ready", "degraded", "not_ready", "unknown"])
def test_the_verdict_is_one_of_four(level: str) -> None:
    test = self_test(good())
    found = read(exposition(replace(test, verdict=replace(test.verdict, level=level))))
    said = {dict(labels)["level"]: v["verdict"] for labels, v in found.items() if "verdict" in v}
    assert said == {"ready": 0, "degraded": 0, "not_ready": 0, "unknown": 0} | {level: 1}


def test_when_and_by_what() -> None:
    found = shown(good(), started_at=1_800_000_123.5)
    assert found[()] == {"last_run_timestamp_seconds": 1_800_000_123.5}
    assert found[(("platform", "Linux"), ("python", "3.11"), ("version", "0.1.0"))] == {"agent_info": 1}


def test_before_the_first_self_test_nothing_is_said() -> None:
    assert exposition(None) == b""


# ---- whose figures


def mos(found: Seen) -> dict[Labels, float]:
    return {labels: values["mos_up"] for labels, values in found.items() if "mos_up" in values}


def test_links_of_different_kinds_side_by_side() -> None:
    found = shown(good(mos_up=4.0), good("wlan0", mos_up=3.0), links=(WIRED, WIFI))
    assert mos(found) == {(("link_kind", k), ("probe", "echo")): v for k, v in (("wired", 4.0), ("wifi", 3.0))}


SECOND = link("eth1")
TWO = {
    "the link in use": ((SECOND, WIRED), 4.0),
    "one that is connected": ((replace(SECOND, carrier=False), replace(WIRED, is_default=False)), 4.0),
    "else the first": ((SECOND, replace(WIRED, is_default=False)), 3.0),
    "one that is still there": ((WIRED,), 4.0),
}


@pytest.mark.parametrize(("links", "published"), TWO.values(), ids=TWO)
def test_of_two_links_of_a_kind_one_is_published(links: tuple[Link, ...], published: float) -> None:
    both = (good("eth0", mos_up=4.0), good("eth1", mos_up=3.0))
    for order in (both, both[::-1]):
        assert mos(shown(*order, links=links))[(("link_kind", "wired"), ("probe", "echo"))] == published
    named = mos(shown(*both, links=links, named=True))
    assert {dict(labels)["link"]: value for labels, value in named.items()} == {"eth0": 4.0, "eth1": 3.0}


def test_a_link_with_its_failure_is_not_mixed_with_another() -> None:
    found = shown(echo(failure="no_reply"), good("eth1"), links=(WIRED, SECOND))
    assert mos(found) == {}
    assert found[(("link_kind", "wired"), ("probe", "echo"))]["probe_success"] == 0


@pytest.mark.parametrize(
    ("probe", "subject", "labels"),
    [
        ("local", "computer", {}),
        ("echo", "loopback", {"link_kind": "loopback"}),
        ("echo", "ppp0", {"link_kind": "other"}),
        ("call", "browser", {}),
        ("compare", "links", {}),
        ("camera", "camera", {"device_kind": "camera"}),
        ("microphone", "eth0", {"device_kind": "microphone"}),
        ("my own probe", "eth0", {"link_kind": "wired", "probe": "other"}),
    ],
)
def test_each_subject_has_its_label(probe: str, subject: str, labels: dict[str, str]) -> None:
    (found,) = mos(shown(echo(subject, name=probe, mos_up=4.0)))
    assert dict(found) == {"probe": probe} | labels


def test_of_two_cameras_the_systems_default() -> None:
    cameras = [DeviceRecord("camera", f"Camera {n}", "usb", 1.0, (), n == 2) for n in (1, 2)]
    seen = [echo(f"Camera {n}", name="camera", mos_up=float(n)) for n in (1, 2, 3)]
    for order in (seen, seen[::-1]):
        assert list(mos(shown(*order, devices=tuple(cameras))).values()) == [2.0]


def test_a_camera_that_is_listed_goes_before_one_that_is_not() -> None:
    listed = DeviceRecord("camera", "Camera 1", "usb", 1.0, (), None)
    seen = [echo(f"Camera {n}", name="camera", mos_up=float(n)) for n in (1, 2)]
    assert list(mos(shown(*seen, devices=(listed,))).values()) == [1.0]


def test_what_is_gone_is_gone() -> None:
    before = shown(good(), good("wlan0"), links=(WIRED, WIFI), named=True)
    after = shown(good(), links=(WIRED,), named=True)
    assert {dict(labels)["link"] for labels in before if "link" in dict(labels)} == {"eth0", "wlan0"}
    assert {dict(labels)["link"] for labels in after if "link" in dict(labels)} == {"eth0"}


def test_each_sample_has_its_measurements_own_time_when_asked() -> None:
    test = replace(self_test(good(), replace(good("wlan0"), started_at=1.7e9), links=(WIRED, WIFI)), duration_s=60.0)
    samples = [sample for family in families(test, times=True) for sample in family.samples]
    at = {s.labels["link_kind"]: s.timestamp for s in samples if s.name == "motesklar_mos_up"}
    assert at == {"wired": 1.8e9 + 10, "wifi": 1.7e9 + 10}
    assert {s.timestamp for s in samples if "probe" not in s.labels} == {1.8e9 + 60}
    assert {s.timestamp for family in families(test) for s in family.samples} == {None}


def test_of_two_measurements_of_a_subject_the_later_in_the_record() -> None:
    assert list(mos(shown(good(mos_up=3.0), good(mos_up=4.0))).values()) == [4.0]


def test_exact_versions_of_the_system_are_not_told_and_strange_ones_are_other() -> None:
    def told(version: str, platform: str, python: str) -> set[str]:
        found = shown(good(), agent=AgentInfo(version, platform, python))
        (labels,) = (dict(labels) for labels, values in found.items() if "agent_info" in values)
        return {labels["version"], labels["platform"], labels["python"]}

    assert told("1.2.3+source", "Windows 10.0.26100", "3.14.2") == {"1.2.3+source", "Windows", "3.14"}
    assert told("Eva's", "Eva's laptop", "of Eva") == {"other"}
    assert told("1.2.3 of Eva", "Linuxx", "3.x") == {"other"}


# ---- whatever comes


@settings(max_examples=60, deadline=None)
@given(self_tests(st.floats()), st.booleans())
def test_no_label_is_free_text_and_no_series_comes_twice(test: SelfTest, links: bool) -> None:
    found = read(exposition(test, links=links))
    kinds, names = {*KINDS, "loopback", "other"}, {link.name for link in test.links}
    for labels in map(dict, found):
        assert labels.get("probe", "echo") in LABELS | {"other"}
        assert labels.get("link_kind", "other") in kinds
        assert links or "link" not in labels
        assert labels.get("link", "") in names | {m.subject for m in test.measurements} | {""}
        assert labels.get("version", "other") == "other" or labels["version"][0].isdigit()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0.001, 0.4)), min_size=1, max_size=60))
def test_what_was_sent_was_received_or_lost(packets: list[tuple[bool, bool, float]]) -> None:
    trips = [trip(i, s if up else None, s if up and down else None) for i, (up, down, s) in enumerate(packets)]
    seen = trace(trips, fates([i for i, (up, _, _) in enumerate(packets) if up]))
    values = loss.values(seen)[0] | delay.values(seen) | quality.values(seen, 0.2)
    found = shown(echo(**values))
    assert wrong(found) == []
    (told,) = (v for v in found.values() if "packets_sent" in v)
    assert [told[f"packets_{n}"] for n in ("sent", "reflected", "received")] == [
        len(packets), sum(up for up, _, _ in packets), sum(up and down for up, down, _ in packets),
    ]  # fmt: skip


def test_a_real_self_test_adds_up(real: SelfTest) -> None:
    found = read(exposition(real, links=True))
    assert wrong(found) == []
    echo_ = found[(("link", "loopback"), ("link_kind", "loopback"), ("probe", "echo"))]
    assert echo_["packets_sent"] >= echo_["packets_received"] > 100


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"packets_sent": 10, "packets_received": 11}, "11.0 packets of 10.0"),
        ({"packets_sent": 10, "packets_received": 9, "loss_ratio": 0.0}, "are not 10.0"),
        ({"packets_sent": 10, "packets_reflected": 9, "loss_up_ratio": 0.2}, "are not 10.0"),
        ({"packets_reflected": 9, "packets_received": 9, "loss_down_ratio": 0.1}, "are not 9.0"),
        ({"loss_ratio": 1.5}, "loss_ratio is 1.5"),
        ({"loss_ratio": 0.5, "loss_ratio_ci95_low": 0.6}, "not between 0.6"),
        ({"rtt_p50_seconds": 2, "rtt_p95_seconds": 1}, "do not rise"),
    ],
)
def test_what_does_not_add_up_is_seen(values: dict[str, float], said: str) -> None:
    (line,) = wrong(shown(echo(**values)))
    assert said in line
