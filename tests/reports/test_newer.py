"""What an agent says that is newer than the room: the rest of it is taken, or it waits; nothing is thrown away."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from reports.collector import Collector, MalformedError, Receipt, Refused, read_self_test
from reports.newer import FACT
from reports.reading import NewerRecordError
from reports.serial import to_json
from tests.reports.store.rows import NOW, run
from tests.reports.test_collector import Shelf, having, send


def measuring(**changes: Any) -> bytes:
    whole = to_json(run())
    first = whole["measurements"][0]
    for part, more in changes.items():
        first[part] = {**first[part], **more} if first[part] and isinstance(more, dict) else more
    return json.dumps(whole).encode()


ASLEEP = {"step": "sound", "code": "speaker_asleep", "detail": ""}
LEFT_OUT = [
    ({"values": {"smell_up_ratio": 0.1, "smell_down_ratio": 0.2}}, {"value": 2}),
    ({"values": {"smell_up_ratio": "strong"}}, {"value": 1}),
    ({"unknown": {"smell_up_ratio": "no nose"}}, {"value": 1}),
    ({"failure": ASLEEP}, {"failure": 1}),
    ({"failure": ASLEEP, "values": {"smell_up_ratio": 1}}, {"value": 1, "failure": 1}),
    ({}, {}),
]


@pytest.mark.parametrize(("changes", "counted"), LEFT_OUT, ids=str)
def test_what_is_not_known_is_left_out_and_counted(changes: dict[str, Any], counted: dict[str, int]) -> None:
    left = Counter[str]()
    test = read_self_test(measuring(**changes), left)
    plain = run()
    assert left == counted
    assert (test.run_id, test.verdict) == (plain.run_id, plain.verdict)
    assert test.measurements[0].values == plain.measurements[0].values
    assert test.measurements[0].unknown == plain.measurements[0].unknown
    assert test.measurements[0].failure is None
    assert test.measurements[0].facts.get(FACT) == (ASLEEP["code"] if "failure" in changes else None)


WAITS = {
    "a later schema": having("motesklar.selftest/2", "schema"),
    "another level": having("splendid", "verdict", "level"),
    "another kind of link": having("satellite", "links", 0, "kind"),
}
NO_SELF_TEST = {
    "no such schema": having("motesklar.lunch/2", "schema"),
    "an earlier schema": having("motesklar.selftest/0", "schema"),
    "a schema without a number": having("motesklar.selftest/x", "schema"),
    "a level of several words": having("not ready", "verdict", "level"),
    "a level that is a number": having(3, "verdict", "level"),
    "a name of several words": measuring(values={"smell up": 1}),
    "a name that is too long": measuring(values={"x" * 65: 1}),
    "a code of several words": measuring(failure={**ASLEEP, "code": "speaker asleep"}),
    "a code that is a number": measuring(failure={**ASLEEP, "code": 3}),
    "a failure that is a list": measuring(failure=["speaker_asleep"]),
}


@pytest.mark.parametrize("raw", WAITS.values(), ids=WAITS.keys())
async def test_what_cannot_be_left_out_waits(raw: bytes) -> None:
    with pytest.raises(NewerRecordError):
        read_self_test(raw)
    collector = Collector(Shelf())
    refused = await send(collector, raw)
    assert isinstance(refused, Refused)
    assert refused.code == "self_test_newer"
    assert "splendid" not in refused.where
    assert collector.refused == {"self_test_newer": 1}
    await collector.close()


@pytest.mark.parametrize("raw", NO_SELF_TEST.values(), ids=NO_SELF_TEST.keys())
def test_what_no_later_program_would_say_is_refused_for_good(raw: bytes) -> None:
    with pytest.raises(MalformedError):
        read_self_test(raw)


async def test_what_is_left_out_is_counted_of_those_taken_only() -> None:
    collector = Collector(Shelf())
    raw = measuring(values={"smell_up_ratio": 1})
    assert await send(collector, raw) == Receipt("r1", "stored")
    assert collector.left_out == {"value": 1}
    await send(collector, raw, now=NOW + 40 * 86400)
    assert collector.left_out == {"value": 1}
    await collector.close()
