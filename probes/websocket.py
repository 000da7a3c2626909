"""WebSocket framing (RFC 6455) for bulk data, for either end, without I/O.

Payload of binary messages is counted where it lies, neither copied nor unmasked; text and control frames are given
whole.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import struct
from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NORMAL, PROTOCOL_ERROR, TOO_BIG = 1000, 1002, 1009  # close codes, section 7.4.1
MOST_HEAD = 16384  # octets of an HTTP head that is still read
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_FIN, _RESERVED, _MASKED = 0x80, 0x70, 0x80
_MOST_CONTROL = 125  # section 5.5


class WebSocketError(ValueError):
    """The other end does not keep to the protocol, or sends more than is taken. `code`: the close code that says so."""

    def __init__(self, message: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(message)
        self.code = code


class UpgradeRefusedError(WebSocketError):
    """The server answered the upgrade with another status than 101."""

    def __init__(self, status: int, retry_after_s: float | None) -> None:
        super().__init__(f"status {status}")
        self.status, self.retry_after_s = status, retry_after_s


@dataclass(frozen=True, slots=True)
class Message:
    """A whole text message or control frame; its payload is unmasked."""

    opcode: int
    payload: bytes = b""

    @property
    def text(self) -> str:
        """Of a text message; it has been checked to be UTF-8."""
        return self.payload.decode()


def frame_header(opcode: int, length: int, mask: bytes | None = None, *, fin: bool = True) -> bytes:
    """The octets before the payload (section 5.2). A client must give a `mask` of 4 random octets."""
    first, bit = (_FIN if fin else 0) | opcode, _MASKED if mask is not None else 0
    if length < 126:
        head = bytes((first, bit | length))
    elif length < 1 << 16:
        head = struct.pack(">BBH", first, bit | 126, length)
    else:
        head = struct.pack(">BBQ", first, bit | 127, length)
    return head + (mask or b"")


def frame(opcode: int, payload: bytes, mask: bytes | None = None) -> bytes:
    """A whole frame, its payload masked when there is a `mask`. For small payloads."""
    body = payload if mask is None else apply_mask(payload, mask)
    return frame_header(opcode, len(payload), mask) + body


def close_frame(code: int = NORMAL, mask: bytes | None = None) -> bytes:
    """A close frame with a code."""
    return frame(CLOSE, struct.pack(">H", code), mask)


def new_mask() -> bytes:
    """Four octets that the other end cannot foresee (section 5.3)."""
    return secrets.token_bytes(4)


def apply_mask(payload: bytes | bytearray | memoryview, mask: bytes) -> bytes:
    """Mask, or unmask."""
    length = len(payload)
    pattern = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")).to_bytes(length, "big")


class FrameReader:
    """Reads one direction of a connection. `masked`: must its frames be masked? (A server's reader: yes.)

    `binary_bytes` is the payload of binary messages so far, also of one that has not all come; `binary_messages` how
    many were begun; `closed` that a close frame came, after which nothing more is read.
    """

    def __init__(self, *, masked: bool, most_text: int = 65536, most_binary: int = 1 << 24) -> None:
        self._masked, self._most_text, self._most_binary = masked, most_text, most_binary
        self.binary_bytes = self.binary_messages = 0
        self.closed = False
        self._head = bytearray()
        self._skip = 0  # octets of binary payload to come in this frame
        self._want: int | None = None  # octets of the text or control frame being read
        self._body = bytearray()
        self._mask = b""
        self._opcode = 0
        self._fin = True
        self._message = 0  # the opcode of a message in several frames, until its last
        self._message_bytes = 0
        self._text = bytearray()

    def feed(self, data: memoryview | bytes | bytearray) -> list[Message]:
        """What became whole by these octets. Raises WebSocketError; nothing may be fed after that."""
        messages: list[Message] = []
        view, at = memoryview(data), 0
        while at < len(view) and not self.closed:
            if self._skip:
                taken = min(self._skip, len(view) - at)
                self._skip -= taken
                self.binary_bytes += taken
                at += taken
            elif self._want is None:
                at += self._read_head(view[at:], messages)
            else:
                end = at + self._want - len(self._body)
                self._body += view[at:end]
                at = min(end, len(view))
                self._finish(messages)
        return messages

    def _read_head(self, view: memoryview, messages: list[Message]) -> int:
        """Take octets of a header; how many were taken."""
        before = len(self._head)
        self._head += view[: 14 - before]
        size = self._head_size()
        if size is None or len(self._head) < size:
            return len(self._head) - before
        self._begin(size, messages)
        self._head.clear()
        return size - before

    def _head_size(self) -> int | None:
        if len(self._head) < 2:
            return None
        self._check_first(self._head[0])
        if bool(self._head[1] & _MASKED) != self._masked:
            raise WebSocketError("a frame that is not masked" if self._masked else "a masked frame")
        return 2 + {126: 2, 127: 8}.get(self._head[1] & 0x7F, 0) + (4 if self._masked else 0)

    def _check_first(self, first: int) -> None:
        opcode, fin = first & 0x0F, bool(first & _FIN)
        if first & _RESERVED or opcode not in (CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG):
            raise WebSocketError("a reserved bit or opcode")
        if opcode >= CLOSE and not fin:
            raise WebSocketError("a control frame in pieces")
        if opcode < CLOSE and (opcode == CONTINUATION) != bool(self._message):
            raise WebSocketError("a continuation of nothing, or none where there should be one")

    def _begin(self, size: int, messages: list[Message]) -> None:
        head = self._head
        length = head[1] & 0x7F
        if length >= 126:
            octets = 2 if length == 126 else 8
            length = int.from_bytes(head[2 : 2 + octets], "big")
            if length < (126 if octets == 2 else 1 << 16):
                raise WebSocketError("a length that is not in its shortest form")
        self._opcode, self._fin = head[0] & 0x0F, bool(head[0] & _FIN)
        self._mask = bytes(head[size - 4 : size]) if self._masked else b""
        if self._opcode >= CLOSE:
            if length > _MOST_CONTROL:
                raise WebSocketError("an over-long control frame")
            self._want = length
        else:
            self._begin_data(length)
        if self._want == 0:
            self._finish(messages)

    def _begin_data(self, length: int) -> None:
        kind = self._message or self._opcode
        if self._opcode != CONTINUATION:
            self._message_bytes = 0
            self.binary_messages += kind == BINARY
        self._message_bytes += length
        if self._message_bytes > (self._most_text if kind == TEXT else self._most_binary):
            raise WebSocketError("an over-long message", TOO_BIG)
        self._message = 0 if self._fin else kind
        if kind == BINARY:
            self._skip = length
        else:
            self._want = length

    def _finish(self, messages: list[Message]) -> None:
        """The text or control frame is whole, if it is."""
        if len(self._body) != self._want:
            return
        payload = apply_mask(self._body, self._mask) if self._mask else bytes(self._body)
        self._body.clear()
        self._want = None
        if self._opcode >= CLOSE:
            self.closed = self._opcode == CLOSE
            if self.closed and len(payload) == 1:
                raise WebSocketError("a close frame with half a code")
            messages.append(Message(self._opcode, payload))
            return
        self._text += payload
        if self._fin:
            whole = bytes(self._text)
            self._text.clear()
            _check_utf8(whole)
            messages.append(Message(TEXT, whole))


def _check_utf8(payload: bytes) -> None:
    try:
        payload.decode()
    except UnicodeDecodeError:
        raise WebSocketError("text that is not UTF-8", 1007) from None


def new_key() -> str:
    """For Sec-WebSocket-Key: 16 random octets."""
    return base64.b64encode(secrets.token_bytes(16)).decode()


def accept_key(key: str) -> str:
    """The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key (section 4.2.2)."""
    return base64.b64encode(hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()).decode()


def upgrade_request(host: str, target: str, key: str, subprotocol: str, agent: str = "motesklar") -> bytes:
    """The client's opening handshake (section 4.1). `host` with its port; `target`: path and query."""
    lines = [
        f"GET {target} HTTP/1.1",
        f"Host: {host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        f"Sec-WebSocket-Protocol: {subprotocol}",
        f"User-Agent: {agent}",
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def split_head(data: bytes | bytearray) -> tuple[bytes, bytes] | None:
    """An HTTP head and what follows it; None while it has not ended. WebSocketError: longer than MOST_HEAD."""
    end = data.find(b"\r\n\r\n", 0, MOST_HEAD)
    if end >= 0:
        return bytes(data[:end]), bytes(data[end + 4 :])
    if len(data) >= MOST_HEAD:
        raise WebSocketError("an over-long HTTP head")
    return None


def check_upgrade(head: bytes, key: str, subprotocol: str) -> None:
    """Is it the server's side of the handshake? UpgradeRefusedError: another status; WebSocketError: no."""
    first, *lines = head.decode("latin-1").split("\r\n")
    version, _, rest = first.partition(" ")
    status = rest[:3]
    if version != "HTTP/1.1" or not (status.isascii() and status.isdigit()):
        raise WebSocketError("an answer that is not HTTP")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if status != "101":
        raise UpgradeRefusedError(int(status), _seconds(headers.get("retry-after", "")))
    upgrades = headers.get("upgrade", "").lower() == "websocket"
    connects = "upgrade" in [part.strip() for part in headers.get("connection", "").lower().split(",")]
    if not (upgrades and connects and headers.get("sec-websocket-accept") == accept_key(key)):
        raise WebSocketError("an upgrade that is not to WebSocket")
    if headers.get("sec-websocket-protocol") != subprotocol:
        raise WebSocketError("another subprotocol")


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdigit() and len(text) < 7 else None
