"""From clues to one answer, and how sure it is."""

from __future__ import annotations

import pytest

from reports.record import FORMS, Form
from reports.weighing import MOST, ONE_CLUE, TWO_CLUES, Vote, weigh


@pytest.mark.parametrize("form", FORMS)
def test_more_votes_never_make_it_less_sure(form: Form) -> None:
    one = weigh([Vote(form, 2.0, "a")], "unknown")
    two = weigh([Vote(form, 2.0, "a"), Vote(form, 1.0, "b")], "unknown")
    assert one.what == two.what == form
    assert one.confidence < two.confidence < 1


@pytest.mark.parametrize(
    ("clues", "proof", "most"), [(1, False, ONE_CLUE), (2, False, TWO_CLUES), (3, False, MOST), (1, True, MOST)]
)
def test_many_clues_or_a_proof_are_needed_to_be_sure(clues: int, proof: bool, most: float) -> None:
    found = weigh([Vote("usb", 20.0, f"clue {n}", proof) for n in range(clues)], "unknown")
    assert found.confidence == pytest.approx(most)


def test_no_clue() -> None:
    found = weigh([], "other")
    assert (found.what, found.confidence) == ("other", 0)
    assert found.evidence


def test_what_speaks_against_it_is_said() -> None:
    votes = [Vote("usb", 3.0, "a"), Vote("headset", 1.0, "b"), Vote("bluetooth", 0.9, "c"), Vote("usb", 4.0, "d")]
    assert weigh(votes, "unknown").evidence == ("d", "a", "against it: b")
