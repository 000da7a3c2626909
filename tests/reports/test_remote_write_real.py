"""Debian's Prometheus and VictoriaMetrics take what we send, and file it under the time at which it was measured."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from pathlib import Path

import pytest

from reports.push import send_waiting, to_remote_write
from reports.remote_write import encode, series
from reports.spool import Spool
from tests.metric_servers import MetricServer, prometheus, victoria_metrics
from tests.reports.make import echo, self_test

NAME = "motesklar_rtt_p95_seconds"
HOUR = 3600.0


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    with closing(Spool(tmp_path / "spool.db", 10**6)) as made:
        yield made


def body(at: float, value: float, **labels: str) -> bytes:
    """Of a self-test whose one measurement ended at that time."""
    measured = replace(echo(rtt_p95_seconds=value), started_at=at - 10, duration_s=10)
    test = replace(self_test(measured), started_at=at - 20, duration_s=25)
    return encode(series(test, {"job": "motesklar", "instance": "m1"} | labels))


async def send(server: MetricServer, spool: Spool, *bodies: bytes) -> str:
    for number, each in enumerate(bodies):
        spool.put("remote_write", str(number), each, 1.8e9)
    return await send_waiting(spool, to_remote_write(f"{server.url}/api/v1/write"), seconds=20)


def of_prometheus(folder: Path) -> AbstractContextManager[MetricServer]:
    return prometheus(folder, out_of_order="30d")


@pytest.mark.parametrize("start", [of_prometheus, victoria_metrics])
async def test_what_was_measured_offline_lands_with_its_own_time(
    tmp_path: Path, spool: Spool, start: Callable[[Path], AbstractContextManager[MetricServer]]
):
    now = float(round(time.time()))
    times = [now - 7 * 24 * HOUR, now - 2 * HOUR, now - HOUR, now - 1]
    with start(tmp_path) as server:
        assert await send(server, spool, body(now, 0.5, instance="other")) == ""  # its clock is at now
        assert await send(server, spool, *(body(at, 0.01 * n) for n, at in enumerate(times))) == ""
        assert spool.counts().sent == 5
        wanted = f'{NAME}{{instance="m1"}}'
        server.flush()
        found = server.samples(wanted, now, 8 * 24 * HOUR)
        assert found == [(at, pytest.approx(0.01 * n)) for n, at in enumerate(times)]
        ((labels, value),) = server.query(wanted, now - HOUR + 1)
    assert value == pytest.approx(0.02)
    assert labels == {
        "__name__": NAME, "job": "motesklar", "instance": "m1", "probe": "echo", "link_kind": "wired",
    }  # fmt: skip


@pytest.mark.parametrize("start", [of_prometheus, victoria_metrics])
async def test_what_was_sent_twice_is_there_once(
    tmp_path: Path, spool: Spool, start: Callable[[Path], AbstractContextManager[MetricServer]]
):
    now = float(round(time.time()))
    with start(tmp_path) as server:
        for _ in range(2):
            assert await send(server, spool, body(now - HOUR, 0.01), body(now - 60, 0.02)) == ""
        server.flush()
        assert [value for _, value in server.samples(NAME, now, 2 * HOUR)] == [0.01, 0.02]
    assert spool.counts().refused == 0


async def test_a_prometheus_that_takes_nothing_late_refuses_and_that_is_said(tmp_path: Path, spool: Spool):
    """docs/push.md tells to set the window, because of this."""
    now = float(round(time.time()))
    with prometheus(tmp_path) as server:
        assert await send(server, spool, body(now, 0.5, instance="other")) == ""
        assert await send(server, spool, body(now - 2 * HOUR, 0.01)) == "it does not take such a report (400)"
    assert spool.counts().refused == 1


async def test_what_is_not_a_remote_write_is_refused(tmp_path: Path, spool: Spool):
    with prometheus(tmp_path) as server:
        assert await send(server, spool, b"nonsense") == "it does not take such a report (400)"
