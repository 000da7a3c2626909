"""What the page may ask for, and nothing else."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.ui import bodies
from agent.ui.state import ANSWERS, STEPS


@pytest.mark.parametrize(
    ("name", "body"),
    [
        *(("answer", {"question": n, "answer": "yes"}) for n in (True, 1.0, "1", None, -1, 10**9 + 1)),
        *(("answer", {"question": 1, "answer": a}) for a in ("", "Yes", None, 1, ["yes"], {"yes": 1})),
        *(("choose", {"kind": k, "number": 1}) for k in ("", "screen", None, ["camera"])),
        *(("redo", {"steps": s}) for s in ([], ["speaker", "speaker"], ["x"], "speaker", None, [None], [["speaker"]])),
        *((name, {"x": 1}) for name in bodies.SHAPES),
    ],
)
def test_values_that_no_page_of_ours_sends(name: str, body: dict[str, object]):
    with pytest.raises(bodies.BodyError):
        bodies.read(name, json.dumps(body).encode())


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(["alone", "yes", *STEPS]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=8,
)
shaped = st.sampled_from(sorted(bodies.SHAPES)).flatmap(
    lambda name: st.tuples(
        st.just(name), st.fixed_dictionaries(dict.fromkeys(bodies.SHAPES[name], values), optional={"x": values})
    )
)


@given(shaped)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_body_is_what_it_may_be_or_refused(asked: tuple[str, dict[str, object]]):
    name, body = asked
    try:
        found = bodies.read(name, json.dumps(body).encode())
    except bodies.BodyError:
        return
    assert found == body
    assert found.keys() == bodies.SHAPES[name].keys()
    assert found.get("company") in (None, "alone", "several")
    assert found.get("answer") in (None, *(answer for some in ANSWERS.values() for answer in some))
    for number in (found.get("question", 0), found.get("number", 0)):
        assert type(number) is int
        assert 0 <= number <= 10**9
    steps = found.get("steps", ["speaker"])
    assert set(steps) <= set(STEPS)
    assert len(set(steps)) == len(steps) > 0


@given(st.sampled_from(sorted(bodies.SHAPES)), st.binary(max_size=60))
@settings(max_examples=100, deadline=None)
def test_any_octets_are_refused(name: str, raw: bytes):
    try:
        assert bodies.read(name, raw) == {}
        assert name in ("stop", "compare")
    except bodies.BodyError:
        pass
