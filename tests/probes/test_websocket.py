import contextlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import websocket
from probes.websocket import BINARY, CLOSE, CONTINUATION, PING, PONG, TEXT, FrameReader, Message, WebSocketError

KEY, ACCEPT = "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="  # RFC 6455, section 1.3
MASK = bytes.fromhex("37fa213d")

# RFC 6455, section 5.7
GOLDEN = [
    ("810548656c6c6f", False, [Message(TEXT, b"Hello")], 0),
    ("818537fa213d7f9f4d5158", True, [Message(TEXT, b"Hello")], 0),
    ("010348656c80026c6f", False, [Message(TEXT, b"Hello")], 0),
    ("890548656c6c6f", False, [Message(PING, b"Hello")], 0),
    ("8a8537fa213d7f9f4d5158", True, [Message(PONG, b"Hello")], 0),
    ("827e0100" + "ab" * 256, False, [], 256),
    ("827f0000000000010000" + "cd" * 65536, False, [], 65536),
]


@pytest.mark.parametrize(("octets", "masked", "messages", "binary"), GOLDEN)
def test_the_specifications_examples(octets: str, masked: bool, messages: list[Message], binary: int) -> None:
    reader = FrameReader(masked=masked)
    assert reader.feed(bytes.fromhex(octets)) == messages
    assert reader.binary_bytes == binary


@pytest.mark.parametrize(
    ("head", "octets"),
    [
        (websocket.frame_header(TEXT, 5), "8105"),
        (websocket.frame_header(TEXT, 5, MASK), "818537fa213d"),
        (websocket.frame_header(TEXT, 3, fin=False), "0103"),
        (websocket.frame_header(BINARY, 125), "827d"),
        (websocket.frame_header(BINARY, 126), "827e007e"),
        (websocket.frame_header(BINARY, 256), "827e0100"),
        (websocket.frame_header(BINARY, 65535), "827effff"),
        (websocket.frame_header(BINARY, 65536), "827f0000000000010000"),
        (websocket.frame(PONG, b"Hello", MASK), "8a8537fa213d7f9f4d5158"),
        (websocket.close_frame(1000), "880203e8"),
    ],
)
def test_headers_as_specified(head: bytes, octets: str) -> None:
    assert head.hex() == octets


small = st.binary(max_size=40)
message = st.one_of(
    st.tuples(st.just(TEXT), st.text(max_size=200).map(str.encode)),
    st.tuples(st.just(BINARY), st.binary(max_size=300)),
    st.tuples(st.sampled_from([PING, PONG]), small),
)


@given(st.lists(message, max_size=8), st.lists(st.integers(0, 1500), max_size=60), st.booleans(), st.data())
def test_however_the_stream_is_cut_it_says_the_same(
    sent: list[tuple[int, bytes]], cuts: list[int], masked: bool, data: st.DataObject
) -> None:
    """Data messages in up to three frames, with a ping between them."""
    stream, expected, binary = b"", [], 0
    for opcode, payload in sent:
        mask = data.draw(st.binary(min_size=4, max_size=4)) if masked else None
        pieces = pieces_of(payload, data.draw(st.integers(1, 3))) if opcode in (TEXT, BINARY) else [payload]
        for i, piece in enumerate(pieces):
            body = websocket.apply_mask(piece, mask) if mask else piece
            kind, last = CONTINUATION if i else opcode, i == len(pieces) - 1
            stream += websocket.frame_header(kind, len(piece), mask, fin=last) + body
            if not last:
                stream += websocket.frame(PING, b"p", mask)
                expected.append(Message(PING, b"p"))
        binary += len(payload) * (opcode == BINARY)
        expected += [Message(opcode, payload)] * (opcode != BINARY)
    reader, found = FrameReader(masked=masked), []
    ends = sorted({min(c, len(stream)) for c in cuts} | {len(stream)})
    for start, end in zip([0, *ends], ends, strict=False):
        found += reader.feed(memoryview(stream)[start:end])
    assert found == expected
    assert reader.binary_bytes == binary
    assert reader.binary_messages == sum(opcode == BINARY for opcode, _ in sent)


def pieces_of(payload: bytes, count: int) -> list[bytes]:
    at = [len(payload) * i // count for i in range(count + 1)]
    return [payload[a:b] for a, b in pairwise(at)]


BAD = {
    "a reserved bit": "c100",
    "a reserved opcode": "8300",
    "a reserved control opcode": "8b00",
    "a ping in pieces": "0900",
    "a ping of 126": "897e007e",
    "a continuation of nothing": "8000",
    "a new message within another": "0101618100",
    "a length in too long a form": "827e007d",
    "a long length in too long a form": "827f000000000000ffff",
    "a length of 2^63": "827f8000000000000000",
    "text over the limit": "817e0401",
    "binary over the limit": "827e1001",
    "text over the limit in pieces": "017e03ff" + "61" * 1023 + "8002",
    "binary over the limit in pieces": "027e0fff" + "00" * 4095 + "8002",
    "text that is not UTF-8": "8101ff",
    "half a close code": "880103",
    "a masked frame": "818037fa213d",
    "HTTP": b"HTTP/1.1 400 Bad Request\r\n\r\n".hex(),
    "zeros": "00" * 20,
    "TLS": "160301",
}


@pytest.mark.parametrize("octets", BAD.values(), ids=BAD)
@pytest.mark.parametrize("step", [1, 100_000])
def test_what_breaks_the_protocol(octets: str, step: int) -> None:
    stream = bytes.fromhex(octets)
    with pytest.raises(WebSocketError):
        feed(FrameReader(masked=False, most_text=1024, most_binary=4096), stream, step)


def feed(reader: FrameReader, stream: bytes, step: int) -> None:
    for at in range(0, len(stream), step):
        reader.feed(stream[at : at + step])


@pytest.mark.parametrize("octets", ["8100", "827e0100", "8800"])
def test_a_client_must_mask(octets: str) -> None:
    with pytest.raises(WebSocketError):
        FrameReader(masked=True).feed(bytes.fromhex(octets))


@given(st.binary(min_size=1, max_size=200), st.booleans())
def test_garbage_is_frames_or_an_error_and_nothing_else(octets: bytes, masked: bool) -> None:
    reader = FrameReader(masked=masked, most_text=64, most_binary=1024)
    with contextlib.suppress(WebSocketError):
        messages = reader.feed(octets)
        assert sum(len(m.payload) for m in messages) + reader.binary_bytes <= len(octets)


def test_over_long_text_is_refused_at_its_header() -> None:
    with pytest.raises(WebSocketError) as caught:
        FrameReader(masked=False).feed(websocket.frame_header(TEXT, 1 << 40))
    assert caught.value.code == websocket.TOO_BIG


def test_nothing_is_read_after_the_close() -> None:
    reader = FrameReader(masked=False)
    messages = reader.feed(websocket.close_frame(1001) + b"\xff" * 10)
    assert (messages, reader.closed) == ([Message(CLOSE, b"\x03\xe9")], True)
    assert reader.feed(b"\xff" * 10) == []


ANSWER = "\r\n".join(
    (
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: WebSocket",
        "Connection: keep-alive, Upgrade",
        f"Sec-WebSocket-Accept: {ACCEPT}",
        "Sec-WebSocket-Protocol: p",
    )
)


def test_the_handshake() -> None:
    assert websocket.accept_key(KEY) == ACCEPT
    split = websocket.split_head(ANSWER.encode() + b"\r\n\r\n\x81\x00")
    assert split == (ANSWER.encode(), b"\x81\x00")
    websocket.check_upgrade(ANSWER.encode(), KEY, "p")
    request = websocket.upgrade_request("room:1", "/a?b=c", KEY, "p").decode()
    assert request.startswith("GET /a?b=c HTTP/1.1\r\nHost: room:1\r\n")
    assert f"\r\nSec-WebSocket-Key: {KEY}\r\n" in request


@pytest.mark.parametrize(
    "change",
    [(ACCEPT, ACCEPT.lower()), ("Upgrade: WebSocket", "Upgrade: h2c"), ("keep-alive, Upgrade", "close"),
     ("Protocol: p", "Protocol: q"), ("\r\nSec-WebSocket-Protocol: p", ""), ("HTTP/1.1 101", "SSH-2.0 101"),
     ("101 ", "1x1 "), ("HTTP/1.1 101", "\xff\xfe")],
)  # fmt: skip
def test_answers_that_are_no_upgrade(change: tuple[str, str]) -> None:
    changed = ANSWER.replace(*change)
    assert changed != ANSWER
    with pytest.raises(WebSocketError) as caught:
        websocket.check_upgrade(changed.encode("latin-1"), KEY, "p")
    assert not isinstance(caught.value, websocket.UpgradeRefusedError)


@pytest.mark.parametrize(("retry", "seconds"), [("7", 7.0), ("-7", None), ("Wed, 21 Oct", None), ("9" * 50, None)])
def test_a_refusal_says_when_to_come_again(retry: str, seconds: float | None) -> None:
    head = f"HTTP/1.1 503 Service Unavailable\r\nRetry-After: {retry}".encode()
    with pytest.raises(websocket.UpgradeRefusedError) as caught:
        websocket.check_upgrade(head, KEY, "p")
    assert (caught.value.status, caught.value.retry_after_s) == (503, seconds)


def test_a_head_that_does_not_end() -> None:
    assert websocket.split_head(b"HTTP/1.1 101\r\n" * 10) is None
    with pytest.raises(WebSocketError):
        websocket.split_head(b"x" * websocket.MOST_HEAD)
