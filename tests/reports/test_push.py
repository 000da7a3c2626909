"""The spool is emptied into real HTTP servers on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from reports.push import Destination, drain, to_remote_write
from reports.push_answers import Pace
from reports.push_post import MACHINE_HEADER
from reports.spool import Spool
from tests.reports.far_end import MACHINE, FarEnd, collector, put, serving

FAST = Pace(first=0.02, most=0.05, unauthorised=0.05, between=0.0)


async def until(condition: Callable[[], bool], seconds: float = 10) -> None:
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - what is waited for has no event
            await asyncio.sleep(0.01)


@asynccontextmanager
async def draining(spool: Spool, destination: Destination, **more: object) -> AsyncIterator[list[str]]:
    stop, said = asyncio.Event(), list[str]()
    options: dict[str, object] = {"pace": FAST, "say": said.append} | more
    task = asyncio.create_task(drain(spool, destination, stop, **options))  # type: ignore[arg-type]
    try:
        yield said
    finally:
        stop.set()
        await asyncio.wait_for(task, 5)


async def emptied(spool: Spool, destination: Destination, **more: object) -> list[str]:
    async with draining(spool, destination, **more) as said:
        await until(lambda: spool.counts().waiting == 0)
    return said


# ---- answers


async def test_everything_arrives_in_order_with_its_headers(spool: Spool):
    put(spool, "a", "b", "c")
    async with serving(FarEnd()) as far_end:
        assert await emptied(spool, collector(far_end)) == []
    assert far_end.taken == ["a", "b", "c"]
    headers = far_end.requests[0].headers
    assert (headers["Authorization"], headers[MACHINE_HEADER]) == ("Bearer a-token", MACHINE)
    assert headers["Content-Type"] == "application/json"
    assert spool.counts("collector").sent == 3


async def test_what_is_put_later_goes_at_once_when_woken(spool: Spool):
    wake = asyncio.Event()
    async with serving(FarEnd()) as far_end, draining(spool, collector(far_end), wake=wake):
        await asyncio.sleep(0.1)
        put(spool, "a")
        wake.set()
        await until(lambda: far_end.taken == ["a"], 2)


async def test_known_already_is_done(spool: Spool):
    put(spool, "a", "b")
    async with serving(FarEnd(lambda _n, body: (409 if body == "a" else 201, {}))) as far_end:
        await emptied(spool, collector(far_end))
    assert (spool.counts().sent, far_end.taken) == (2, ["b"])


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_what_cannot_be_mended_is_given_up_counted_and_said(spool: Spool, status: int):
    put(spool, "bad", "good")
    async with serving(FarEnd(lambda _n, body: (status if body == "bad" else 201, {}))) as far_end:
        said = await emptied(spool, collector(far_end))
    assert far_end.bodies == ["bad", "good"]
    assert (spool.counts().refused, spool.counts().sent) == (1, 1)
    assert len(said) == 2
    assert str(status) in said[0]


@pytest.mark.parametrize("status", [401, 403])
async def test_a_token_that_is_refused_is_said_once_and_waits(spool: Spool, status: int):
    put(spool, "a", "b")
    async with serving(FarEnd(lambda n, _body: (status if n < 4 else 201, {}))) as far_end:
        said = await emptied(spool, collector(far_end))
    assert far_end.taken == ["a", "b"]
    assert len(said) == 2
    assert "token" in said[0]
    assert said[1] == "collector: reports arrive again"


async def test_retry_after_is_kept_to_by_all_that_waits(spool: Spool):
    put(spool, "a", "b")
    wake = asyncio.Event()
    async with (
        serving(FarEnd(lambda _n, _body: (503, {"Retry-After": "1"}))) as far_end,
        draining(spool, collector(far_end), wake=wake),
    ):
        await until(lambda: len(far_end.bodies) == 1)
        put(spool, "c")
        wake.set()
        await asyncio.sleep(0.7)
        assert far_end.bodies == ["a"]
        await until(lambda: far_end.bodies == ["a", "b"], 3)


async def test_one_that_the_collector_chokes_on_holds_nothing_up(spool: Spool):
    put(spool, "poison", "a", "b")
    async with (
        serving(FarEnd(lambda _n, body: (500 if body == "poison" else 201, {}))) as far_end,
        draining(spool, collector(far_end)),
    ):
        await until(lambda: far_end.taken == ["a", "b"])
    assert spool.counts().waiting == 1


async def test_samples_are_never_overtaken(spool: Spool):
    put(spool, "a", "b", to="remote_write")
    async with serving(FarEnd(lambda n, _body: (500 if n < 3 else 201, {}))) as far_end:
        await emptied(spool, to_remote_write(far_end.url))
    assert far_end.bodies == ["a", "a", "a", "a", "b"]
    assert far_end.requests[0].headers["X-Prometheus-Remote-Write-Version"] == "0.1.0"
    assert "Authorization" not in far_end.requests[0].headers


async def test_a_redirect_is_not_followed(spool: Spool):
    """It would carry the token elsewhere."""
    put(spool, "a")
    async with serving(FarEnd()) as other:
        async with (
            serving(FarEnd(lambda _n, _body: (307, {"Location": other.url}))) as far_end,
            draining(spool, collector(far_end)),
        ):
            await until(lambda: len(far_end.bodies) >= 2)
        assert other.requests == []
    assert spool.counts().waiting == 1
