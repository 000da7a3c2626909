"""What probes and the policy write in English: the catalogue has it letter for letter, and the policy's all of it."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

from agent.ui import probe_words
from agent.ui.probe_words import clue_text, in_language, reason_text, source_text
from probes.links.classify import CONVENTIONS
from reports.advice import catalogue, ids
from tests.reports.make import POLICY

ROOT = Path(probe_words.__file__).parents[2]
COMPOSED = {f"its address is from the range that {each.who}" for each in CONVENTIONS} | {
    "the system does not tell whether the charger is plugged in"
}


@cache
def written() -> frozenset[str]:
    """Every string in the code of what measures."""
    code = [path for folder in ("probes", "media_check") for path in (ROOT / folder).rglob("*.py")]
    trees = [ast.parse(path.read_text("utf-8")) for path in (*code, ROOT / "reports/weighing.py")]
    return frozenset(
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


@pytest.mark.parametrize("head", ["reason", "clue"])
def test_the_english_is_what_the_probes_write(head: str) -> None:
    assert {catalogue("en")[f"{head}.{key}"] for key in ids(head)} - written() - COMPOSED == set()


def test_the_english_is_what_the_policy_writes() -> None:
    sources = {row.source for row in POLICY.rows.values()}
    parts = {part for source in sources for part in (source, *source.split("; "))}
    assert {catalogue("en")[f"source.{key}"] for key in ids("source")} - parts == set()


def test_nothing_that_is_the_policys_own_stays_english() -> None:
    said = {source_text(row.source, "sv") for row in POLICY.rows.values()}
    assert [words for words in said if re.search(r"\b(own|the|and|most|worse)\b", words)] == [
        "Microsoft Teams edge and client targets; Microsoft CQD poor-call rule; RFC 3550"  # a document
    ]


@pytest.mark.parametrize(
    ("made", "sv"),
    [
        (source_text("own; ITU-T G.122 (echo)", "sv"), "eget; ITU-T G.122 (eko)"),
        (source_text("The county's own measurements, 2026", "sv"), "The county's own measurements, 2026"),
        (reason_text("no answer in time", "sv"), "inget svar i tid"),
        (reason_text("errno 5", "sv"), "errno 5"),
        (clue_text("against it: it is a wifi radio", "sv"), "Det som talar emot: den är en wifi-radio"),
        (clue_text("it is a vlan that stands on eth0", "sv"), "den är en vlan ovanpå eth0"),
        (in_language("clue", "no answer in time", "sv"), "no answer in time"),
    ],
)
def test_words(made: str, sv: str) -> None:
    assert made == sv
