"""The search for the path MTU against paths made of rules, and the judgement over tables of fates."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from probes import mtu
from probes.mtu import Search, Tried

Passes = Callable[[int], bool]


def run(search: Search, passes: Passes, told: int = 0, pieces: int = 0) -> list[int]:
    """Every size tried, in order, when what passes comes back after the batch."""
    tried: list[int] = []
    while search.refill():
        batch = []
        while (size := search.next()) is not None:
            batch.append(size)
        tried += batch
        search.returned |= {size for size in batch if passes(size)}
        if any(not passes(size) for size in batch):
            search.hints = mtu.hints(told, pieces)
        assert len(tried) < 200
    return tried


def up_to(limit: int) -> Passes:
    return lambda size: size <= limit


def test_a_wide_path_is_three_packets() -> None:
    assert run(Search(1500), up_to(9000)) == [1500, 1500, 1500]
    assert run(Search(1280), up_to(9000)) == [1280] * 3


@pytest.mark.parametrize("limit", [1499, 1492, 1491, 1452, 1420, 1400, 1399, 1333, 1300, 1299, 1280])
def test_a_limit_that_nobody_names(limit: int) -> None:
    search = Search(1500)
    tried = run(search, up_to(limit))
    assert limit - mtu.FINE_BYTES < search.best <= limit
    assert min(tried.count(size) for size in set(tried) if size > search.best) >= 2
    assert tried.count(1500) >= 5, "the largest is tried again later"
    assert sum(tried) < 130_000 / 2


@pytest.mark.parametrize("limit", [1492, 1391, 1281])
def test_a_limit_that_a_router_names_is_found_at_once(limit: int) -> None:
    search = Search(1500)
    assert run(search, up_to(limit), told=limit)[:6] == [1500] * 3 + [limit] * 3
    assert search.best == limit


@pytest.mark.parametrize("limit", [1492, 1391, 1330])
def test_a_limit_that_pieces_give_away(limit: int) -> None:
    search = Search(1500)
    run(search, up_to(limit), pieces=20 + (limit - 20) // 8 * 8)
    assert search.best == limit


def test_a_router_that_names_too_much_is_not_believed() -> None:
    search = Search(1500)
    run(search, up_to(1300), told=1400)
    assert search.best == 1300


def test_nothing_returns() -> None:
    search = Search(1500)
    assert len(run(search, up_to(0))) < 40
    assert search.best == 0


def test_an_outage_in_the_beginning_is_not_a_limit() -> None:
    search, lost = Search(1500), iter([False] * 4)
    run(search, lambda size: next(lost, True))
    assert search.best == 1500


def test_a_link_that_is_smaller_than_it_says() -> None:
    search = Search(1500)
    tried: list[int] = []
    while search.refill():
        while (size := search.next()) is not None:
            if size > 1400:
                search.too_large(size)
            else:
                tried.append(size)
                search.returned.add(size)
    assert tried == [1400]
    assert search.best == search.largest == 1400


# ---- judgement ----------------------------------------------------------------------------------------------------


def fates(
    up: int, down: int, *, told: bool = True, pieces: int = 0, sizes: tuple[int, ...] = mtu.LADDER
) -> list[Tried]:
    """Three tries of each size on a path with these limits; `told`: the room reports."""
    made = []
    for size in sizes:
        arrives = size <= up
        back = arrives and (size <= down or pieces > 0)
        reached = arrives if told else (True if back else None)
        made += [Tried(size, reached, back, pieces if back and size > down else 0)] * 3
    return made


JUDGED = {  # fates, loss, told, then up, down, facts
    "wide": (fates(1500, 1500), 0.01, 0, 1500, 1500, {"mtu_signalled": False, "mtu_black_hole": "none"}),
    "hole up": (
        fates(1300, 1500), 0.01, 0, 1300, 1300,
        {"mtu_signalled": False, "mtu_black_hole": "up", "mtu_down_at_least": True},
    ),
    "hole down": (fates(1500, 1300), 0.01, 0, 1500, 1300, {"mtu_signalled": False, "mtu_black_hole": "down"}),
    "holes": (fates(1400, 1300), 0.01, 0, 1400, 1300, {"mtu_signalled": False, "mtu_black_hole": "both"}),
    "named": (
        fates(1400, 1500), 0.01, 1400, 1400, 1400,
        {"mtu_signalled": True, "mtu_black_hole": "none", "mtu_down_at_least": True},
    ),
    "named, and a smaller hole": (
        fates(1300, 1500), 0.01, 1400, 1300, 1300,
        {"mtu_signalled": True, "mtu_black_hole": "up", "mtu_down_at_least": True},
    ),
    "pieces down": (
        fates(1500, 1300, pieces=1300), 0.01, 0, 1500, 1300, {"mtu_signalled": True, "mtu_black_hole": "none"},
    ),
    "much loss": (fates(1300, 1500), 0.4, 0, None, 1300, {"mtu_signalled": False}),
    "much loss, and all sizes pass": (
        fates(1500, 1500), 0.4, 0, 1500, 1500, {"mtu_signalled": False, "mtu_black_hole": "none"},
    ),
    "nothing came": (fates(0, 0), 0.01, 0, None, None, {}),
    "nothing tried": ([], 0.01, 0, None, None, {}),
    "plain, wide": (fates(1500, 1500, told=False), 0.01, 0, 1500, 1500,
                    {"mtu_signalled": False, "mtu_black_hole": "none"}),
    "plain, a hole somewhere": (fates(1500, 1300, told=False), 0.01, 0, None, None, {"mtu_signalled": False}),
    "plain, named": (fates(1300, 1500, told=False), 0.01, 1300, 1300, 1300,
                     {"mtu_signalled": True, "mtu_black_hole": "none", "mtu_down_at_least": True}),
    "plain, much loss": (fates(1300, 1500, told=False), 0.5, 1300, None, None, {"mtu_signalled": True}),
}  # fmt: skip


@pytest.mark.parametrize(("tried", "loss", "told", "up", "down", "facts"), JUDGED.values(), ids=JUDGED)
def test_what_the_fates_say(
    tried: list[Tried], loss: float, told: int, up: int | None, down: int | None, facts: dict[str, object]
) -> None:
    answer = mtu.judge(tried, loss, told)
    assert (answer.values.get(mtu.UP), answer.values.get(mtu.DOWN)) == (up, down)
    assert answer.facts == facts
    assert answer.values.keys() | answer.unknown.keys() == set(mtu.NAMES)
    assert not answer.values.keys() & answer.unknown.keys()
    assert all(answer.unknown.values())


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3])
def test_chance_is_not_called_a_hole(share: float) -> None:
    """Of 400 wide paths with such a loss each way, at most one is called a hole or given too small an MTU."""
    rng, wrong = random.Random(7), 0
    high = 1 - (1 - share) ** 2 + 0.05
    for _ in range(400):
        search, tried = Search(1500), []
        while search.refill():
            while (size := search.next()) is not None:
                reached = rng.random() >= share
                back = reached and rng.random() >= share
                tried.append(Tried(size, reached, back))
            search.returned |= {t.size_bytes for t in tried if t.whole}
        answer = mtu.judge(tried, high, 0)
        wrong += answer.facts.get("mtu_black_hole", "none") != "none" or answer.values.get(mtu.UP, 1500) != 1500
    assert wrong <= 1


def test_how_long_answers_are_waited_for() -> None:
    assert mtu.patience_ns(None) == 500_000_000
    assert mtu.patience_ns(0.0) < 200_000_000
    assert mtu.patience_ns(0.3) > 600_000_000
    assert mtu.patience_ns(9.0) == 1_000_000_000
    assert (mtu.sizes_up_to(None), mtu.sizes_up_to(1400), mtu.sizes_up_to(65536)) == (1500, 1400, 1500)
