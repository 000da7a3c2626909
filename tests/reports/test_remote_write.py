from __future__ import annotations

import re
from dataclasses import replace

import cramjam
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.core import GaugeMetricFamily

from reports.record import Measurement, SelfTest
from reports.remote_write import Series, decode, encode, from_families, series
from tests.reports.make import echo, link, self_test

AT = 1.8e9  # when make's measurements began; they took 10 s
name = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,20}", fullmatch=True)
labels = st.dictionaries(name, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30), max_size=4)
some = st.builds(
    lambda pairs, value, at: Series(tuple(sorted(pairs.items())), value, at),
    labels,
    st.floats(allow_nan=False),
    st.integers(-(2**63), 2**63 - 1),
)


def gauge(*samples: tuple[dict[str, str], float]) -> GaugeMetricFamily:
    made = GaugeMetricFamily("motesklar_rtt_p95_seconds", "round trip")
    for found, value in samples:
        made.add_sample("motesklar_rtt_p95_seconds", found, value)
    return made


def made(test: SelfTest, *samples: tuple[dict[str, str], float], **more: str) -> list[Series]:
    return from_families([gauge(*samples)], test, more)


# ---- bytes


def test_the_bytes_of_one_series():
    """By the specification's own field numbers, without our descriptor."""
    label = b"\x0a\x08__name__\x12\x01m"
    sample = b"\x09\x00\x00\x00\x00\x00\x00\xf8\x3f\x10\xac\x02"  # 1.5 as double, 300 as varint
    one = b"\x0a%c%s\x12%c%s" % (len(label), label, len(sample), sample)
    body = encode([Series((("__name__", "m"),), 1.5, 300)])
    assert bytes(cramjam.snappy.decompress_raw(body)) == b"\x0a%c%s" % (len(one), one)


@settings(max_examples=50, deadline=None)
@given(st.lists(some, max_size=5))
def test_there_and_back(wanted: list[Series]):
    assert decode(encode(wanted)) == wanted


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=100), st.booleans())
def test_bytes_that_are_something_else(data: bytes, packed: bool):
    said = ""
    try:
        decode(bytes(cramjam.snappy.compress_raw(data)) if packed else data)
    except ValueError as error:
        said = str(error)
    assert re.fullmatch("(this is not a remote write request: .+)?", said)


# ---- labels


def test_labels_are_sorted_none_is_empty_and_the_metrics_own_go_first():
    found = made(
        self_test(echo()),
        ({"probe": "echo", "device_kind": "", "link_kind": "wired"}, 1),
        instance="m1",
        probe="x",
        a="",
    )
    assert found[0].labels == (
        ("__name__", "motesklar_rtt_p95_seconds"),
        ("instance", "m1"),
        ("link_kind", "wired"),
        ("probe", "echo"),
    )


@pytest.mark.parametrize("wrong", ["__name__", "__x", "1a", "a-b", "", "å"])
def test_a_label_that_prometheus_does_not_take(wrong: str):
    with pytest.raises(ValueError, match="cannot be a label's name"):
        made(self_test(echo()), ({}, 1), **{wrong: "x"})


def test_one_sample_for_each_set_of_labels():
    found = made(self_test(echo()), ({"probe": "echo"}, 1), ({"probe": "echo", "link_kind": ""}, 2))
    assert [s.value for s in found] == [1]


# ---- times


def test_a_sample_has_the_time_at_which_its_own_measurement_ended():
    later, dns = (
        replace(echo("wlan0", rtt_p95_seconds=0.2), started_at=AT + 100, duration_s=5),
        Measurement("dns", "eth0", AT + 20, 1, values={"dns_lookup_seconds": 0.03}),
    )
    test = self_test(echo(rtt_p95_seconds=0.1), later, dns, links=(link(), link("wlan0", "wifi")))
    found = {(s.labels[0][1], dict(s.labels).get("link_kind")): s for s in series(test, {"instance": "m1"})}
    wanted = {
        ("motesklar_rtt_p95_seconds", "wired"): (0.1, AT + 10),
        ("motesklar_rtt_p95_seconds", "wifi"): (0.2, AT + 105),
        ("motesklar_dns_lookup_seconds", "wired"): (0.03, AT + 21),
    }
    assert {key: (found[key].value, found[key].at_ms / 1000) for key in wanted} == wanted
    assert {dict(s.labels)["instance"] for s in found.values()} == {"m1"}
    assert {dict(s.labels)["link"] for s in series(test, {}, links=True) if "link" in dict(s.labels)} == {
        "eth0",
        "wlan0",
    }


def test_a_sample_without_a_time_has_the_whole_tests():
    assert made(self_test(echo()), ({"probe": "echo"}, 1))[0].at_ms == (AT + 10) * 1000


def test_a_time_that_the_sample_has_itself_goes_first():
    family = GaugeMetricFamily("m", "help", labels=["probe"])
    family.add_metric(["echo"], 1, timestamp=AT - 0.5)
    assert from_families([family], self_test(echo()), {})[0].at_ms == AT * 1000 - 500
