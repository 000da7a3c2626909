"""What is a thing, by all clues together? Used for the kind of a link and the form of a device. Pure.

Clues cast votes; the weights of a candidate add up. Confidence is the winner's share (softmax with an empty chair),
reduced by how few independent clues speak for it, so that one string alone never makes certainty.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

ONE_CLUE, TWO_CLUES, MOST = 0.7, 0.9, 0.99
STRONG = 0.5
WORTH_MENTIONING = 1.0
What = TypeVar("What", bound=str)


@dataclass(frozen=True, slots=True)
class Vote(Generic[What]):
    """One clue's weight (a log-likelihood ratio, roughly) for one candidate. `proof`: the system itself says so."""

    what: What
    weight: float
    words: str
    proof: bool = False


@dataclass(frozen=True, slots=True)
class Weighed(Generic[What]):
    """`confidence` is 0–1."""

    what: What
    confidence: float
    evidence: tuple[str, ...]


def weigh(votes: Sequence[Vote[What]], otherwise: What, but: str = "against it") -> Weighed[What]:
    """The candidate with the most weight. Without a vote: `otherwise`, confidence 0. `but`: what leads the rest in."""
    if not votes:
        return Weighed(otherwise, 0.0, ("nothing is known about this device",))
    scores: dict[What, float] = defaultdict(float)
    for vote in votes:
        scores[vote.what] += vote.weight
    what = max(scores, key=lambda w: scores[w])
    winning = sorted((v for v in votes if v.what == what), key=lambda v: -v.weight)
    against = [v for v in votes if v.what != what and v.weight >= WORTH_MENTIONING]
    words = [v.words for v in winning] + [f"{but}: {v.words}" for v in against]
    return Weighed(what, _confidence(scores, what, winning), tuple(dict.fromkeys(words)))


def _confidence(scores: dict[What, float], what: What, winning: Sequence[Vote[What]]) -> float:
    share = math.exp(scores[what]) / (1.0 + sum(math.exp(s) for s in scores.values()))
    strong = [v for v in winning if v.weight >= STRONG]
    cap = MOST if any(v.proof for v in winning) or len(strong) > 2 else TWO_CLUES if len(strong) == 2 else ONE_CLUE
    return round(share * cap, 2)
