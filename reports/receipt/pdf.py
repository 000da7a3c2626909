"""The receipt as PDF/UA-1."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from reports import typeset
from reports.advice import Lang
from reports.receipt.view import view
from reports.record import SelfTest

TEMPLATE = Path(__file__).with_name("receipt.typ")


def render(self_test: SelfTest, lang: Lang, valid_seconds: float) -> bytes:
    """The document. `valid_seconds`: how long the self-test counts."""
    shown = view(self_test, lang, valid_seconds)
    return typeset.pdf(TEMPLATE, asdict(shown), shown.made_at)
