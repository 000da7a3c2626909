"""Every sentence is there in both languages and compiled, and nothing names one that is not."""

import ast
import re
import string
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from reports import advice
from reports.advice import LANGUAGES, LOCALE, Lang, catalogue, ids, text
from reports.queues import PROGRAMS
from reports.record import KINDS, LEVELS, OWNERS
from reports.vocabulary import FAILURES, QUANTITIES
from tests.reports.make import POLICY

ROOT = Path(advice.__file__).parents[2]


def source(lang: Lang) -> dict[str, str]:
    with (LOCALE / lang / "LC_MESSAGES" / "motesklar.po").open("rb") as po:
        return {str(m.id): str(m.string) for m in read_po(po) if m.id}


def places(sentence: str) -> set[str]:
    return {field for _, field, _, _ in string.Formatter().parse(sentence) if field is not None}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_compiled_catalogue_is_the_source(lang: Lang) -> None:
    assert catalogue(lang) == source(lang), "run scripts/messages"


def test_both_languages_say_everything_with_the_same_places() -> None:
    sv, en = source("sv"), source("en")
    assert sv.keys() == en.keys()
    assert [msgid for msgid in sv if not sv[msgid].strip() or not en[msgid].strip()] == []
    assert [msgid for msgid in sv if places(sv[msgid]) != places(en[msgid])] == []


def test_the_languages_are_not_mixed_up() -> None:
    """A sentence that is the same in both was forgotten; a few words and units are the same."""
    sv, en = source("sv"), source("en")
    same = {m for m in sv if sv[m] == en[m] and not m.startswith(("unit.", "finding.measured"))}
    forms = {f"devices.form_{form}" for form in ("usb", "bluetooth", "headset")}
    assert same == {"kind.wifi", "kind.vpn", "table.under", "table.limit_is", "step.proxy"} | forms


def test_the_policy_names_sentences_that_are_there() -> None:
    advised = [row.advice for row in POLICY.rows.values()]
    advised += [row.advice_high for row in POLICY.rows.values() if row.advice_high]
    advised += [s.advice for s in (*POLICY.failures.values(), *POLICY.situations.values(), *POLICY.kinds.values())]
    advised += [s.advice for s in POLICY.faults.values()]
    assert set(advised) <= ids()
    stems = [stem for row in POLICY.rows.values() for stem in (row.consequence, row.consequence_high) if stem]
    assert {f"{stem}_{level}" for stem in stems for level in ("degraded", "not_ready")} <= ids("means")
    assert {row.value for row in POLICY.rows.values()} <= ids("value")


def test_rules_on_one_quantity_have_words_of_their_own() -> None:
    values = [row.value for row in POLICY.rows.values()]
    assert ids("rule") == {name for name, row in POLICY.rows.items() if values.count(row.value) > 1}


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("headline", LEVELS),
        ("level", LEVELS),
        ("owner", OWNERS),
        ("kind", KINDS),
        ("failure", FAILURES),
        ("means", POLICY.situations),
        ("program", [program.replace(" ", "_") for program in PROGRAMS]),
        ("value", POLICY.situations),
        ("value", QUANTITIES),
    ],
)
def test_every_word_of_a_closed_set_has_its_sentence(head: str, words: list[str]) -> None:
    assert set(words) <= ids(head)


def test_every_fact_of_the_media_path_has_a_word() -> None:
    assert set(POLICY.rows["media_path"].words) <= ids("word")


def strings_in_code() -> set[str]:
    code = [path for folder in ("reports", "reports/advice", "agent") for path in ROOT.glob(f"{folder}/*.py")]
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in code]
    return {
        n.value for tree in trees for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)
    }


def test_no_sentence_is_dead() -> None:
    """Each advice is named by the policy or by the code (as a whole string)."""
    named = strings_in_code() | set(re.findall(r'"(\w+)"', (ROOT / "reports" / "policy.toml").read_text("utf-8")))
    assert ids() - named == set()


def test_every_sentence_the_code_names_is_there() -> None:
    heads = "means|failure|headline|level|owner|kind|value|word|unit|finding|table|progress|links"
    named = {s for s in strings_in_code() if re.fullmatch(rf"({heads})\.\w+", s)}
    assert len(named) > 10
    assert named - catalogue("en").keys() == set()


def test_text() -> None:
    assert text("headline.ready", "sv") == "Klart"
    assert text("use_cable", "en", link="eth0").count("eth0") == 1
    assert text("from_a_newer_program", "sv") == "from_a_newer_program"
    assert "{" not in text("use_cable", "sv")
