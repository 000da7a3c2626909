"""Network quality: delay, jitter, loss and throughput, the kinds of link side by side, with the policy's limits."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reports.advice import Lang
from reports.advice.words import label, quantity_text
from reports.rules import Policy, Row
from reports.store.shapes import Latest
from testroom.it import data, parts, svg
from testroom.it.data import Spread
from testroom.it.markup import Html, join, tag
from testroom.it.query import Query
from testroom.it.texts import kind_text, machines_text, say, share

# quantity -> the rule whose limits are drawn
RULES = {
    "rtt_p95_seconds": "rtt",
    "jitter_up_seconds": "jitter_up",
    "jitter_down_seconds": "jitter_down",
    "loss_up_ratio": "loss_up",
    "loss_down_ratio": "loss_down",
    "throughput_up_bytes_per_second": "throughput_up",
    "throughput_down_bytes_per_second": "throughput_down",
}
_BEYOND = 2.0  # a chart ends at twice the limit of "not ready": what is worse is drawn at its edge


def view(machines: Sequence[Latest], q: Query, policy: Policy) -> Html:
    """The whole view, with the limits of the room's policy."""
    tested = data.tested(machines, q.since)
    if not any(m.test.values for m in tested if m.test):
        return parts.nothing(say("nothing_measured", q.lang))
    return join(
        tag("p", say("network_lead", q.lang), class_="quiet"),
        tag(
            "div",
            [_quantity(name, policy.rows[rule], tested, q.lang) for name, rule in RULES.items()],
            class_="grid first-wide",
        ),
    )


def _quantity(name: str, row: Row, tested: Sequence[Latest], lang: Lang) -> Html:
    spreads = list(data.spreads(name, tested, lambda value: row.level(value) == "ready"))
    title = label(name, lang)
    if not spreads:
        return parts.card(title, parts.nothing(say("nothing_measured", lang)))
    scale, marks = scale_of(row, [s.high for s in spreads]), limits(row)
    drawn = [
        tag("li", tag("span", kind_text(s.kind, lang), class_="what"), svg.spread(s, scale, marks)) for s in spreads
    ]
    words = [(mark, quantity_text(name, mark.value, lang)) for mark in marks]
    drawn.append(tag("li", tag("span", class_="what"), svg.axis(scale, words), class_="axis-line"))
    named = tag("code", name)  # as metrics and JSON know it
    return parts.card(title, tag("ul", drawn, class_="bars"), _table(name, row, spreads, lang), lead=named)


def _table(name: str, row: Row, spreads: Sequence[Spread], lang: Lang) -> Html:
    worst = "worst_low" if row.better == "higher" else "worst_high"
    heads = [say(key, lang) for key in ("link_kind", "median", worst, "good_enough")]
    rows = [
        (
            join(kind_text(s.kind, lang), " ", tag("span", machines_text(s.count, lang), class_="quiet")),
            quantity_text(name, s.median, lang),
            quantity_text(name, s.low if row.better == "higher" else s.high, lang),
            share(s.good or 0, s.count, lang),
        )
        for s in spreads
    ]
    return parts.table(label(name, lang), heads, rows)


def limits(row: Row) -> list[svg.Mark]:
    """What the policy asks for, and what it no longer accepts."""
    ends = ((row.ready, "ready"), (row.acceptable, "not_ready"))
    return [svg.Mark(value, level) for band, level in ends for value in band if math.isfinite(value)]


def scale_of(row: Row, highest: Sequence[float]) -> svg.Scale:
    """From nothing to the highest value, but no farther than tells; rates, which differ much, by their root."""
    marks = [mark.value for mark in limits(row)]
    most = max(marks, default=0.0)
    top = max([most * 1.15, *highest])
    if row.better == "higher":
        return svg.Scale(0.0, top, 0.5)
    return svg.Scale(0.0, min(top, most * _BEYOND) if most else top)
