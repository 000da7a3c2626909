"""Every sentence of the guided self-test is there in both languages, and none is dead."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from pathlib import Path

import pytest

from agent.guided_offer import NEXT
from agent.guided_words import COMPANIES
from agent.ui.lines import FACTS
from agent.ui.state import ANSWERS, STEPS
from agent.ui.untested import DEVICES, NETWORK, SENTENCES
from reports import advice
from reports.advice import LANGUAGES, Lang, catalogue, ids
from reports.record import KINDS
from tests.reports.make import POLICY

ROOT = Path(advice.__file__).parents[2]
FILES = [*ROOT.glob("agent/ui/*.py"), *ROOT.glob("agent/guided*.py"), *ROOT.glob("agent/commands/*.py")]
FAULTS = {rule for rule in POLICY.faults if not rule.endswith(tuple(f"_{kind}" for kind in KINDS))}


def constants() -> set[str]:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in FILES]
    found = [n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant)]
    return {value for value in found if isinstance(value, str)}


def test_every_sentence_that_is_named_is_there() -> None:
    named = {said for said in constants() if re.fullmatch(r"(ui|guided)\.\w*[a-z]", said)} - {"ui.port"}  # a file
    assert len(named) > 30
    assert named - catalogue("sv").keys() == set()


TESTED = [SENTENCES.get(name, name) for name in (*DEVICES, *NETWORK, "join")]
CLOSED: list[tuple[str, Iterable[str]]] = [
    ("ui.link_", KINDS),
    ("ui.fault_", FAULTS),
    ("ui.good_", (*STEPS, "equipment")),
    ("ui.unknown_", STEPS),
    ("ui.untested_", TESTED),
    ("ui.fact_", {name for names in FACTS.values() for name in names}),
    ("ui.again_", ("title", "text")),
    ("ui.trouble_", ("title", "text")),
    ("guided.step_", STEPS),
    ("guided.doing_", STEPS),
    ("guided.redo_", STEPS),
    ("guided.next_", NEXT),
    ("guided.company_", COMPANIES),
    ("guided.", ANSWERS),
    ("guided.", [f"{kind}_{answer}" for kind, answers in ANSWERS.items() for answer in answers]),
]


@pytest.mark.parametrize(("head", "words"), CLOSED, ids=[head for head, _ in CLOSED])
def test_every_word_of_a_closed_set_has_its_sentence(head: str, words: Iterable[str]) -> None:
    assert {f"{head}{word}" for word in words} - catalogue("sv").keys() == set()


def test_no_sentence_is_dead() -> None:
    """Each is named as a whole, stands in one of these sets, or has the name of what goes on (guided.what_…)."""
    named = constants() | {f"{head}{word}" for head, words in CLOSED for word in words}
    named |= {f"guided.{said}" for said in named}
    mine = {f"{head}.{msgid}" for head in ("ui", "guided") for msgid in ids(head)}
    assert {msgid for msgid in mine - named if not msgid.startswith("guided.what_")} == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_person_reads_them(lang: Lang) -> None:
    """Plain words: none of the terms that are for IT, but in what is written for IT."""
    mine = {m: said for m, said in catalogue(lang).items() if m.startswith(("ui.", "guided."))}
    jargon = re.compile(r"\b(RTT|jitter|ICE|MTU|UDP|TCP|DNS|latency|latens|throughput|device|interface)\b", re.I)
    assert [m for m, said in mine.items() if jargon.search(said) and not m.startswith("ui.fact_")] == []
