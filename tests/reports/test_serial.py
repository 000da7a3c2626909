"""The self-test as JSON: its shape, its schema, its way back, and what it does not tell."""

import json
import math
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports import record, schema
from reports.record import Failure, Finding, Link, Measurement, SelfTest, Verdict
from reports.serial import RecordError, from_json, scrub, to_json
from reports.vocabulary import FAILURES, NAMES
from tests.reports.make import echo, good, link, self_test
from tests.reports.seen import CLEAN

COMMITTED = Path(record.__file__).with_name("selftest.schema.json")
VALIDATOR = jsonschema.Draft202012Validator(json.loads(COMMITTED.read_text(encoding="utf-8")))

letters = st.characters(codec="utf-8", exclude_characters="\0")  # what a database keeps
words = st.text(letters, max_size=12)
numbers = st.floats(allow_nan=False, allow_infinity=False)
any_number = st.floats()
names = st.sampled_from(sorted(NAMES))
facts = st.one_of(words, st.booleans(), st.integers(), numbers, st.lists(words, max_size=2).map(tuple))
params = st.dictionaries(words, st.one_of(words, numbers), max_size=3)
failures = st.builds(Failure, step=words, code=st.sampled_from(sorted(FAILURES)), detail=words)


def made(kind: type, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """The dataclass from its types, with every plain number finite and every text whole."""
    st.register_type_strategy(float, numbers)
    st.register_type_strategy(str, words)
    return st.builds(kind, **fields)


def measurements(value: st.SearchStrategy[float]) -> st.SearchStrategy[Measurement]:
    return made(
        Measurement,
        values=st.dictionaries(names, value, max_size=4),
        facts=st.dictionaries(words, facts, max_size=3),
        unknown=st.dictionaries(names, words, max_size=2),
        failure=st.none() | failures,
    )


def self_tests(value: st.SearchStrategy[float] = numbers) -> st.SearchStrategy[SelfTest]:
    findings = made(Finding, value=st.none() | words | value, limit=st.none() | words | numbers, params=params)
    verdicts = made(Verdict, findings=st.lists(findings, max_size=2).map(tuple), action_params=params)
    return made(
        SelfTest,
        verdict=verdicts,
        links=st.lists(made(Link), max_size=2).map(tuple),
        measurements=st.lists(measurements(value), max_size=2).map(tuple),
    )


def test_the_committed_schema_is_that_of_the_code() -> None:
    assert COMMITTED.read_text(encoding="utf-8") == schema.as_text(), "run python -m reports.schema"
    jsonschema.Draft202012Validator.check_schema(schema.schema())


@settings(max_examples=40, deadline=None)
@given(self_tests(any_number))
def test_every_record_is_valid_and_finite(whole: SelfTest) -> None:
    for addresses in (False, True):
        told = to_json(whole, addresses=addresses)
        VALIDATOR.validate(told)
        assert json.loads(json.dumps(told, allow_nan=False)) == told


@settings(max_examples=40, deadline=None)
@given(self_tests())
def test_there_and_back(whole: SelfTest) -> None:
    assert from_json(json.loads(json.dumps(to_json(whole, addresses=True)))) == whole


def test_the_order_of_the_contract() -> None:
    told = to_json(self_test(good()))
    assert list(told)[:5] == ["schema", "run_id", "verdict", "links", "measurements"]
    assert list(told["verdict"])[:2] == ["level", "findings"]
    assert told["schema"] == "motesklar.selftest/1"
    VALIDATOR.validate(told)


def test_sentences_are_there_in_both_languages() -> None:
    told = to_json(self_test(good(rtt_p95_seconds=0.4)))["verdict"]
    assert told["headline"] == {"sv": "Ring support", "en": "Call support"}
    assert told["action_text"]["sv"].startswith("Ring kommunens IT-support")
    assert "400" in next(f for f in told["findings"] if f["rule"] == "rtt")["text"]["en"]


def test_what_is_not_a_number_is_unknown() -> None:
    m = Measurement("echo", "eth0", 1.8e9, 1.0, {"mos_up": float("nan"), "mos_down": 4.0, "loss_ratio": float("inf")},
                    facts={"a": float("nan"), "b": 1}, unknown={"mos_up": "too short"})  # fmt: skip
    told = to_json(self_test(m))["measurements"][0]
    assert told["values"] == {"mos_down": 4.0}
    assert told["unknown"] == {"mos_up": "too short", "loss_ratio": "not a finite number"}
    assert told["facts"] == {"b": 1}


SECRETS = ("192.0.2.7", "192.0.2.1", "2001:db8::5", "fe80::1", "198.51.100.9", "02:00:5e:00:53:01")


def test_addresses_stay_here_unless_asked_for() -> None:
    known = link(
        addresses=("192.0.2.7", "2001:db8::5"),
        gateway_v6="fe80::1",
        resolvers=("198.51.100.9",),
        evidence=("gateway 192.0.2.1 (02:00:5e:00:53:01)", "asked [2001:db8::5]:53, then fe80::1%eth0."),
    )
    m = replace(
        echo(failure="timeout"),
        facts={"peer": "198.51.100.9:862", "all": ("192.0.2.7/24",)},
        unknown={"mos_up": "192.0.2.1 was silent"},
        failure=Failure("echo", "timeout", "no answer from 198.51.100.9"),
    )
    whole = self_test(m, links=(known,))
    kept, told = json.dumps(to_json(whole)), json.dumps(to_json(whole, addresses=True))
    assert [secret for secret in SECRETS if secret in kept] == []
    assert [secret for secret in SECRETS if secret not in told] == []
    assert to_json(whole)["links"][0]["gateway"] is None


@pytest.mark.parametrize(
    "harmless",
    [
        "driver cdc_ether 1.2.3",
        "at 12:34:56",
        "5.5 GHz",
        "version 6.1.0-49",
        "USB 18d1:4eeb",
        "2.4 GHz.",
    ],
)
def test_what_only_looks_like_an_address_stays(harmless: str) -> None:
    assert scrub(harmless) == harmless


BROKEN: list[tuple[Any, str]] = [
    ([], "not a self-test"),
    ({}, "not a self-test"),
    ({"schema": "motesklar.selftest/2"}, "its schema is not 'motesklar.selftest/1'$"),
    ({"schema": ["motesklar.selftest/1"]}, "its schema is not"),
    ({"schema": "motesklar.selftest/1"}, "lacks run_id"),
]


@pytest.mark.parametrize(("data", "what"), BROKEN)
def test_what_is_no_self_test(data: Any, what: str) -> None:
    with pytest.raises(RecordError, match=what):
        from_json(data)


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        (("started_at",), "now", "selftest.started_at must be a number"),
        (("interrupted",), 1, "selftest.interrupted must be true or false"),
        (("links",), {}, "selftest.links must be a list"),
        (("links", 0, "kind"), "cable", r"selftest.links\[0\].kind must be one of wired"),
        (("links", 0, "mtu_bytes"), "big", r"selftest.links\[0\].mtu_bytes must be a whole number"),
        (("measurements", 0, "values"), {"mos_up": "4"}, r"measurements\[0\].values.mos_up must be a number"),
        (("measurements", 0, "facts"), {"a": None}, r"facts\[0\] must be text or true or false or a number or a list"),
        (("measurements", 0, "facts"), {"a": 1, "b": {}}, r"facts\[1\] must be text .* not an object$"),
        (("measurements", 0, "facts"), {"a\0": 1}, r"facts\[0\] must be text without NUL$"),
        (("measurements", 0, "values"), {"speed": 4}, r"measurements\[0\].values must hold none but the vocabulary's"),
        (("measurements", 0, "unknown"), {"speed": ""}, r"measurements\[0\].unknown must hold none but"),
        (("measurements", 0, "values"), {"mos_up": math.nan}, "values.mos_up must be a finite number$"),
        (("measurements", 0, "values"), {"mos_up": 10**400}, "values.mos_up must be a finite number$"),
        (("measurements", 0, "values"), {"mos_up": True}, "values.mos_up must be a number, not true or false$"),
        (("measurements", 0, "failure"), {"step": "", "code": "bad_luck", "detail": ""}, "failure.code must be one of"),
        (("measurements", 0, "failure"), {"step": "", "detail": ""}, r"measurements\[0\].failure lacks code$"),
        (("measurements", 0), None, r"measurements\[0\] must be an object, not nothing$"),
        (("run_id",), "half \ud800", "selftest.run_id must be text of whole characters$"),
        (("duration_s",), math.inf, "selftest.duration_s must be a finite number$"),
        (("verdict", "level"), None, "selftest.verdict.level must be one of ready"),
    ],
)
def test_a_broken_record_is_told_where(path: tuple[Any, ...], value: Any, what: str) -> None:
    data = to_json(self_test(good()))
    inner: Any = data
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    with pytest.raises(RecordError, match=what):
        from_json(data)


WEIRD = "<secret>\n"
ANYTHING = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | st.just([]) | st.just({})


def places(data: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of the document."""
    inside = list(data.items()) if isinstance(data, dict) else list(enumerate(data)) if isinstance(data, list) else []
    return [(data, key) for key, _ in inside] + [place for _, value in inside for place in places(value)]


def refusal(document: Any) -> str:
    """ "" when it is read, and then it fits the schema."""
    try:
        VALIDATOR.validate(to_json(from_json(document)))
    except RecordError as error:
        return str(error)
    return ""


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_one_thing_changed_is_read_or_refused_in_one_line(data: st.DataObject) -> None:
    document = to_json(self_test(good(), echo("eth0", failure="timeout")))
    container, key = data.draw(st.sampled_from(places(document)))
    container[key] = data.draw(ANYTHING)
    if isinstance(container, dict):
        container[WEIRD] = WEIRD
    said = refusal(document)
    assert len(said.splitlines()) <= 1
    assert "secret" not in said


def test_a_missing_part_is_named_and_one_with_a_default_is_not_missed() -> None:
    for name in (f.name for f in fields(SelfTest)):
        document = to_json(self_test(good()))
        del document[name]
        if name == "devices":
            assert from_json(document).devices == ()
        else:
            with pytest.raises(RecordError, match=f"^selftest lacks {name}$"):
                from_json(document)


def test_a_collector_can_read_two_thousand_a_second_on_one_core() -> None:
    links = (link(), link("wlan0", "wifi"))
    whole = self_test(*(replace(m, subject=each.name) for each in links for m in CLEAN), links=links)
    document = to_json(whole)
    assert len(json.dumps(document)) > 20_000
    spent = []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(20):
            from_json(document)
        spent.append((time.process_time() - begun) / 20)
    assert min(spent) < 1 / 2000


def test_the_schema_closes_the_vocabulary() -> None:
    for path, value in (("values", {"speed": 1.0}), ("failure", {"step": "", "code": "bad_luck", "detail": ""})):
        data = to_json(self_test(good()))
        data["measurements"][0][path] = value
        assert not VALIDATOR.is_valid(data)
