"""Prometheus remote write 1.0: a self-test's metrics as series, and series as the bytes that are sent.

The message is the specification's WriteRequest (https://prometheus.io/docs/specs/prw/remote_write_spec/), described
here instead of in a generated module, and compressed as one snappy block. Each sample carries the time at which its
own measurement ended, so that what was measured offline lands where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from reports.record import SelfTest

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.samples import Sample

HEADERS: Mapping[str, str] = {
    "Content-Encoding": "snappy",
    "Content-Type": "application/x-protobuf",
    "X-Prometheus-Remote-Write-Version": "0.1.0",  # of protocol 1.0, as its specification has it
}
NAME_LABEL = "__name__"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_LONGEST_LABEL = 200  # far ends cut at 1024 to 2048


@dataclass(frozen=True, slots=True)
class Series:
    """`labels` are sorted by name, `__name__` among them, and none is empty. `at_ms`: since 1970-01-01 UTC."""

    labels: tuple[tuple[str, str], ...]
    value: float
    at_ms: int


def series(test: SelfTest, labels: Mapping[str, str], *, links: bool = False) -> list[Series]:
    """Every metric of the self-test, one sample each.

    `labels` are added to each (`job`, `instance`, `organisation` …) and give way to the metric's own; ValueError if
    one has a name that Prometheus does not take.
    """
    from reports.metrics import families

    return from_families(families(test, links=links, times=True), test, labels)


def from_families(metrics: Iterable[Metric], test: SelfTest, labels: Mapping[str, str]) -> list[Series]:
    """Two samples with the same labels cannot both be sent: the first stays."""
    if wrong := [name for name in labels if not _LABEL.fullmatch(name) or name.startswith("__")]:
        raise ValueError(f"{wrong[0]!r} cannot be a label's name")
    found: dict[tuple[tuple[str, str], ...], Series] = {}
    for sample in (sample for metric in metrics for sample in metric.samples):
        made = Series(_labels(sample, labels), float(sample.value), _at_ms(sample, test))
        found.setdefault(made.labels, made)
    return list(found.values())


def encode(wanted: Iterable[Series]) -> bytes:
    """The body of one POST: a WriteRequest in a snappy block."""
    import cramjam

    request = _messages()["WriteRequest"]()
    for one in wanted:
        made = request.timeseries.add()
        for name, value in one.labels:
            made.labels.add(name=name, value=value)
        made.samples.add(value=one.value, timestamp=one.at_ms)
    return bytes(cramjam.snappy.compress_raw(request.SerializeToString()))


def decode(body: bytes) -> list[Series]:
    """What `encode` made. ValueError when it is something else."""
    import cramjam
    from google.protobuf.message import DecodeError

    try:
        request = _messages()["WriteRequest"].FromString(bytes(cramjam.snappy.decompress_raw(body)))
    except (cramjam.DecompressionError, DecodeError) as error:
        raise ValueError(f"this is not a remote write request: {error}") from None
    return list(_decoded(request))


def _decoded(request: Any) -> Iterator[Series]:
    for one in request.timeseries:
        labels = tuple((label.name, label.value) for label in one.labels)
        yield from (Series(labels, sample.value, sample.timestamp) for sample in one.samples)


def _labels(sample: Sample, more: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """An empty value means no label to Prometheus, and the protocol forbids to send one."""
    merged = {**more, **sample.labels, NAME_LABEL: sample.name}
    return tuple(sorted((name, value[:_LONGEST_LABEL]) for name, value in merged.items() if value))


def _at_ms(sample: Sample, test: SelfTest) -> int:
    """The sample's own time; the whole test's end if it has none."""
    at = test.started_at + test.duration_s if sample.timestamp is None else float(sample.timestamp)
    return round(at * 1000)


@cache
def _messages() -> dict[str, Any]:
    """The protocol's messages, in a pool of their own: another library may know the same names."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="remote.proto", package="prometheus", syntax="proto3")
    for message, fields in {
        "Label": (("name", 1, kinds.TYPE_STRING, ""), ("value", 2, kinds.TYPE_STRING, "")),
        "Sample": (("value", 1, kinds.TYPE_DOUBLE, ""), ("timestamp", 2, kinds.TYPE_INT64, "")),
        "TimeSeries": (("labels", 1, kinds.TYPE_MESSAGE, "Label"), ("samples", 2, kinds.TYPE_MESSAGE, "Sample")),
        "WriteRequest": (("timeseries", 1, kinds.TYPE_MESSAGE, "TimeSeries"),),
    }.items():
        made = file.message_type.add(name=message)
        for name, number, kind, of in fields:
            many = kinds.LABEL_REPEATED if of else kinds.LABEL_OPTIONAL
            type_name = f".prometheus.{of}" if of else None
            made.field.add(name=name, number=number, type=kind, label=many, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    found = message_factory.GetMessageClassesForFiles(["remote.proto"], pool)
    return {name.rpartition(".")[2]: kind for name, kind in found.items()}
