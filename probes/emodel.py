"""Conversational quality by the E-model, ITU-T G.107 (06/2015): from delay, loss and its burstiness to a MOS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby

_RO_MINUS_IS = 93.2  # all other parameters at G.107's defaults
# Our assumption: ITU-T G.113 has no figures for Opus. It stands for Opus at 24 kbit/s and more with concealment.
OPUS_IE = 0.0
OPUS_BPL = 20.0
FRAMING_SECONDS = 0.0265  # one 20 ms frame and Opus's look-ahead of 6.5 ms (RFC 6716)


def delay_impairment(one_way_seconds: float) -> float:
    """Idd of G.107, equation 7-27; echo is taken to be cancelled. The formula counts in milliseconds."""
    milliseconds = one_way_seconds * 1000
    if milliseconds <= 100:
        return 0.0
    x = math.log2(milliseconds / 100)
    return float(25 * ((1 + x**6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2))


def loss_impairment(loss_ratio: float, burst_ratio: float) -> float:
    """Ie,eff of G.107, equation 7-29; the formula counts loss in per cent."""
    percent = loss_ratio * 100
    return OPUS_IE + (95 - OPUS_IE) * percent / (percent / max(1.0, burst_ratio) + OPUS_BPL)


def burst_ratio(lost: Sequence[bool]) -> float:
    """BurstR of G.107, 7.5: mean run of losses over the mean run that independent loss would give; 1 or more."""
    runs = [len(list(run)) for is_lost, run in groupby(lost) if is_lost]
    if not runs:
        return 1.0
    share = sum(runs) / len(lost)
    return max(1.0, sum(runs) / len(runs) * (1 - share))


def mos(rating: float) -> float:
    """G.107, annex B: transmission rating R to mean opinion score, 1 … 4.5."""
    if rating <= 0:
        return 1.0
    if rating >= 100:
        return 4.5
    return max(1.0, 1 + 0.035 * rating + rating * (rating - 60) * (100 - rating) * 7e-6)


def conversation(one_way_seconds: float, buffer_seconds: float, lost: Sequence[bool]) -> float:
    """MOS of one direction. `lost`: for each audio packet in order, did it come too late or never?

    `buffer_seconds` is the playout buffer that the delay variation asks for.
    """
    share = sum(lost) / len(lost) if lost else 0.0
    delay = one_way_seconds + buffer_seconds + FRAMING_SECONDS
    return mos(_RO_MINUS_IS - delay_impairment(delay) - loss_impairment(share, burst_ratio(lost)))
