"""A Measurement being filled, and how a probe or a check says that it failed."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from reports.record import Fact, Failure, Measurement
from reports.vocabulary import FAILURES, NAMES

Failures = Mapping[type[BaseException], str]


class ProbeFailure(Exception):  # noqa: N818 - a network that does not answer is data, not an error
    """Ends a probe or check with a failure code of the vocabulary. `step`: where in it, when it has several."""

    def __init__(self, code: str, detail: str = "", step: str = "") -> None:
        super().__init__(code)
        self.code, self.detail, self.step = code, detail, step


@dataclass(slots=True)
class Draft:
    """A Measurement being filled. `parts`: those of a probe that goes in several steps, each a Measurement itself."""

    name: str
    subject: str
    started_at: float
    duration_s: float = 0.0
    values: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Fact] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)
    failure: Failure | None = None
    parts: list[Draft] = field(default_factory=list)

    def leave_open(self, names: Iterable[str], reason: str) -> None:
        """Of these, each that has neither a value nor a reason is unknown for this one."""
        self.unknown |= {name: self.unknown.get(name, reason) for name in names if name not in self.values}

    def measurement(self) -> Measurement:
        """The finished record. ValueError: a name that the vocabulary does not have (a defect)."""
        if strange := {*self.values, *self.unknown} - NAMES:
            raise ValueError(f"not in the vocabulary: {sorted(strange)}")
        if self.failure is not None and self.failure.code not in FAILURES:
            raise ValueError(f"not a failure code of the vocabulary: {self.failure.code}")
        return Measurement(
            self.name, self.subject, self.started_at, self.duration_s,
            self.values, self.facts, self.unknown, self.failure,
        )  # fmt: skip


@contextmanager
def drafting(name: str, subject: str, failures: Failures, values: Iterable[str] = ()) -> Iterator[Draft]:
    """Time a step. Of exceptions only ProbeFailure and the listed kinds become a failure; others are defects.

    `values`: names of the vocabulary that are unknown after a failure, with it for a reason, unless they are known.
    """
    draft = Draft(name, subject, time.time())
    begun = time.monotonic()
    try:
        yield draft
    except ProbeFailure as failure:
        draft.failure = Failure(failure.step or name, failure.code, failure.detail)
    except tuple(failures) as error:
        code = next(code for kind, code in failures.items() if isinstance(error, kind))
        draft.failure = Failure(name, code)
    finally:
        draft.duration_s = time.monotonic() - begun
    if draft.failure is not None:
        draft.leave_open(values, _in_words(draft.failure))


def _in_words(failure: Failure) -> str:
    return FAILURES.get(failure.code, failure.code) + (f" ({failure.detail})" if failure.detail else "")
