"""What an exposition says, read by Prometheus's own parser, and what must be true of it whatever was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from prometheus_client.parser import text_string_to_metric_families

from reports.vocabulary import QUANTITIES

Labels = tuple[tuple[str, str], ...]
UNBOUNDED = frozenset({"duplicate_up_ratio", "duplicate_down_ratio", "encode_speed_ratio", "sound_rate_error_ratio"})
STEPS = ("min", "p50", "p95", "p99", "max")


def read(text: bytes) -> dict[Labels, dict[str, float]]:
    """By labels (without empty ones) the values by name without the prefix. No sample may come twice."""
    found: dict[Labels, dict[str, float]] = {}
    for family in text_string_to_metric_families(text.decode()):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            assert sample.timestamp is None
            of = found.setdefault(tuple(sorted((k, v) for k, v in sample.labels.items() if v)), {})
            name = sample.name.removeprefix("motesklar_")
            assert name not in of, f"{name} of {sample.labels} twice"
            of[name] = sample.value
    return found


def wrong(found: Mapping[Labels, Mapping[str, float]]) -> list[str]:
    """The invariants that do not hold, one line each."""
    return [f"{dict(labels)}: {said}" for labels, values in found.items() for said in _wrong(values)]


def _wrong(values: Mapping[str, float]) -> Iterator[str]:
    yield from _packets(values)
    for quantity in QUANTITIES.values():
        value = values.get(quantity.name)
        if value is None:
            continue
        if quantity.unit == "ratio" and quantity.name not in UNBOUNDED and not 0 <= value <= 1:
            yield f"{quantity.name} is {value}"
        low, high = (values.get(f"{quantity.name}_ci95_{end}", value) for end in ("low", "high"))
        if not low - 1e-12 <= value <= high + 1e-12:
            yield f"{quantity.name} is {value}, not between {low} and {high}"
    for name in values:
        if "_p50_" in name:
            stem = [name.replace("_p50_", f"_{step}_") for step in STEPS]
            ladder = [values[each] for each in stem if each in values]
            if ladder != sorted(ladder):
                yield f"{name} and its neighbours do not rise: {ladder}"


def _packets(values: Mapping[str, float]) -> Iterator[str]:
    """Every packet was received, or lost on one of its ways."""
    sent, reached, back = (values.get(f"packets_{name}") for name in ("sent", "reflected", "received"))
    for begun, ended, lost in (
        (sent, back, values.get("loss_ratio")),
        (sent, reached, values.get("loss_up_ratio")),
        (reached, back, values.get("loss_down_ratio")),
    ):
        if begun is None or ended is None:
            continue
        if ended > begun:
            yield f"{ended} packets of {begun}"
        if lost is not None and abs(ended + lost * begun - begun) > 1e-6 * begun:
            yield f"{ended} packets and {lost} lost are not {begun}"
