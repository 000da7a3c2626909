"""Whatever answers, in whatever words: an Answer comes of it, and the item is still there unless it was accepted."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reports.push import send_waiting, to_collector
from reports.spool import Spool
from tests.reports.far_end import MACHINE, PROXIES, put

line = st.binary(max_size=40)
header = st.tuples(
    st.sampled_from([b"Retry-After", b"Location", b"Content-Length", b"Transfer-Encoding", b"Content-Encoding", b"X"]),
    st.sampled_from([b"0", b"-1", b"chunked", b"gzip", b"snappy", b"99999999999999999999", b"/"]) | line,
)
response = st.builds(
    lambda version, status, headers, body: (
        b"%s %s\r\n%s\r\n%s" % (version, status, b"".join(b"%s: %s\r\n" % h for h in headers), body)
    ),
    st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/9", b"SSH-2.0"]),
    st.integers(0, 999).map(b"%d".__mod__) | line,
    st.lists(header, max_size=4),
    st.binary(max_size=200),
)


async def answered_with(said: bytes, spool: Spool) -> str:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(said)
        writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        return await send_waiting(spool, to_collector(url, "a-token", MACHINE), seconds=3)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=response | st.binary(max_size=300))
def test_no_answer_breaks_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    spool = Spool(tmp_path / "spool.db", 10**6)
    try:
        spool.hurry("collector")
        while (left := spool.due("collector", 0)) is not None:
            spool.refuse(left)
        before = spool.counts()
        put(spool, "a")
        reason = asyncio.run(answered_with(said, spool))
        after = spool.counts()
    finally:
        spool.close()
    assert (after.waiting, after.sent, after.refused) in (
        (1, before.sent, before.refused),
        (0, before.sent + 1, before.refused),
        (0, before.sent, before.refused + 1),
    )
    assert (reason == "") == (after.sent > before.sent)
    assert after.sent == before.sent or said[:7] in (b"HTTP/1.", b"HTTP/9 ")
    assert reason.isprintable()
