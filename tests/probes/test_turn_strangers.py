"""What strangers may send in a TURN server's place: never more than an outcome."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import pytest
from aioice import stun
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.turn_client import Allocation, allocate
from probes.turn_wire import Stream, parse
from tests.probes.turn_middle import GOOD

# RFC 5769, section 2.2: a sample response with XOR-MAPPED-ADDRESS 192.0.2.1:32853
RFC_5769 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
)


def test_the_rfcs_sample_is_read():
    message = parse(RFC_5769)
    assert message is not None
    assert message.attributes["XOR-MAPPED-ADDRESS"] == ("192.0.2.1", 32853)
    assert message.check_message_integrity(b"VOkJxbRl1RmTxUk/WvJxBt")


def test_a_message_without_the_cookie_is_none():
    assert parse(RFC_5769[:4] + b"\0\0\0\0" + RFC_5769[8:]) is None


HEAD = bytes.fromhex("0113") + b"%b" + bytes.fromhex("2112a442") + bytes(12)
attributes = st.lists(
    st.tuples(st.sampled_from([0x1, 0x6, 0x8, 0x9, 0xC, 0xD, 0x14, 0x15, 0x16, 0x20, 0x8022, 0x8028]), st.binary()),
    max_size=4,
)


def spelled(parts: list[tuple[int, bytes]]) -> bytes:
    body = b"".join(kind.to_bytes(2, "big") + len(v).to_bytes(2, "big") + v + bytes(-len(v) % 4) for kind, v in parts)
    return HEAD % len(body).to_bytes(2, "big") + body


anything = st.binary(max_size=300) | attributes.map(spelled)


@given(anything)
def test_whatever_comes_is_a_message_or_none(data: bytes):
    assert isinstance(parse(data), stun.Message | None)


async def answered(said: Callable[[bytes], bytes]) -> Allocation:
    """What is made of a stream on which `said(the request)` comes, and then its end."""

    class Sink:
        ended = False

        def write(self, sent: bytes) -> None:
            if not self.ended:
                reader.feed_data(said(sent))
                reader.feed_eof()
            self.ended = True

    reader = asyncio.StreamReader()
    return await allocate(Stream(reader, Sink(), False), time.monotonic() + 1, *GOOD)  # type: ignore[arg-type]


@settings(max_examples=150, deadline=None)
@given(anything, st.booleans())
def test_whatever_comes_by_a_stream_is_an_outcome(data: bytes, honest: bool):
    """`honest`: with the number of the question, so that it is looked at."""

    def said(sent: bytes) -> bytes:
        return data[:8] + sent[8:20] + data[20:] if honest and len(data) >= 20 else data

    assert asyncio.run(answered(said)).outcome != "ok"


@pytest.mark.parametrize(("number", "outcome"), [("its own", "closed"), ("the question's", "quota")])
async def test_an_answer_to_another_question_is_passed_over(number: str, outcome: str):
    full = spelled([(0x9, b"\0\0\4\x56")])  # ERROR-CODE 486
    found = await answered(lambda sent: full if number == "its own" else full[:8] + sent[8:20] + full[20:])
    assert found.outcome == outcome
