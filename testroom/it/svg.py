"""Charts as SVG that stretches: places across are per cent, heights are pixels, so that words keep their size.

They are drawings only (hidden from screen readers): every figure in them stands in a table or list beside them too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from testroom.it.data import Spread
from testroom.it.markup import Html, tag

SIGNS: Mapping[str, str] = {"ready": "✔", "degraded": "!", "not_ready": "✖", "unknown": "?", "untested": "–"}
_BAR, _RANGE = 22, 26  # pixels
_ROOM_FOR_WORDS, _ROOM_FOR_A_SIGN = 10.0, 4.0  # per cent of the width
_CLOSE = 30.0  # labels that are nearer than that would run into each other
_LINE = 17


@dataclass(frozen=True, slots=True)
class Mark:
    """A limit in a chart: at which value, of which level."""

    value: float
    level: str


def stacked(tally: Mapping[str, int], most: int) -> Html:
    """One bar with a part for each state, in the tally's order; `most` machines fill the width."""
    left, parts = 0.0, []
    for state, count in tally.items():
        width = 100.0 * count / most if most else 0.0
        if width:
            parts.append(_part(state, left, width, count))
        left += width
    return _drawing(_BAR, *parts)


def _part(state: str, left: float, width: float, count: int) -> Html:
    words = f"{SIGNS[state]} {count}" if width >= _ROOM_FOR_WORDS else SIGNS[state]
    label = None
    if width >= _ROOM_FOR_A_SIGN:
        label = tag("text", words, x=_per_cent(left + width / 2), y=16, text_anchor="middle", class_=f"on-{state}")
    box = tag("rect", x=_per_cent(left), y=0, width=_per_cent(width), height=_BAR, class_=f"part {state}")
    return tag("g", box, label)


def plain(count: int, most: int) -> Html:
    """One bar of one tone, on the track that it could fill."""
    width = 100.0 * count / most if most else 0.0
    boxes = ((100.0, "track"), (width, "plain"))
    return _drawing(_BAR, [tag("rect", x="0%", y=0, width=_per_cent(w), height=_BAR, class_=kind) for w, kind in boxes])


def spread(values: Spread, scale: Scale, marks: Iterable[Mark]) -> Html:
    """A line from the 5th to the 95th percentile, a box for the middle half, a stroke for the median."""
    low, quarter, median, three, high = (
        scale.place(v) for v in (values.low, values.quarter, values.median, values.three_quarters, values.high)
    )
    middle = _RANGE / 2
    shapes = [
        *(_upright(scale.place(mark.value), _RANGE, f"limit {mark.level}") for mark in marks),
        tag("line", x1=_per_cent(low), x2=_per_cent(high), y1=middle, y2=middle, class_="whisker"),
        tag("rect", x=_per_cent(quarter), y=6, width=_per_cent(max(three - quarter, 0.4)), height=14, class_="box"),
        tag("line", x1=_per_cent(median), x2=_per_cent(median), y1=3, y2=_RANGE - 3, class_="median"),
    ]
    return _drawing(_RANGE, *shapes)


def axis(scale: Scale, marks: Sequence[tuple[Mark, str]]) -> Html:
    """The limits' values beneath the lines."""
    words, line, before = [], 0, -100.0
    for mark, label in sorted(marks, key=lambda pair: pair[0].value):
        at = scale.place(mark.value)
        line = line + 1 if at - before < _CLOSE else 0
        anchor = "start" if at < 15 else "end" if at > 85 else "middle"
        words.append(tag("text", label, x=_per_cent(at), y=13 + line * _LINE, text_anchor=anchor, class_="axis"))
        before = at
    return _drawing((line + 1) * _LINE + 2, *words)


@dataclass(frozen=True, slots=True)
class Scale:
    """Values to per cent of the width. `power`: 1 is even, less gives small values more room."""

    low: float
    high: float
    power: float = 1.0

    def place(self, value: float) -> float:
        """0.5 to 99.5: nothing is drawn beyond the edges."""
        if self.high <= self.low:
            return 50.0
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return 0.5 + 99.0 * math.pow(share, self.power)


def course(
    points: Sequence[tuple[float, float]], across: Scale, up: Scale, marks: Iterable[Mark], ends: tuple[str, str]
) -> Html:
    """Values over time, each a dot, joined by lines; limits are lines across. `ends`: words for both ends of time."""
    height = 90

    def y(value: float) -> float:
        return round(height - up.place(value) / 100 * height, 1)

    dots = [(_per_cent(across.place(at)), y(value)) for at, value in points]
    lines = [tag("line", x1=x1, y1=y1, x2=x2, y2=y2, class_="course") for (x1, y1), (x2, y2) in pairwise(dots)]
    limits = [tag("line", x1="0%", x2="100%", y1=y(m.value), y2=y(m.value), class_=f"limit {m.level}") for m in marks]
    words = [
        tag("text", said, x=x, y=height + 15, text_anchor=anchor, class_="axis")
        for said, x, anchor in ((ends[0], "0%", "start"), (ends[1], "100%", "end"))
    ]
    circles = [tag("circle", cx=x, cy=v, r=3, class_="dot") for x, v in dots]
    return _drawing(height + _LINE + 2, limits, lines, circles, words)


def _upright(at: float, height: int, kind: str) -> Html:
    return tag("line", x1=_per_cent(at), x2=_per_cent(at), y1=0, y2=height, class_=kind)


def _per_cent(value: float) -> str:
    return f"{value:.2f}%"


def _drawing(height: int, *shapes: object) -> Html:
    return tag("svg", *shapes, width="100%", height=height, aria_hidden="true", focusable="false")
