"""One ndt7 transfer, by the client, in a thread of its own: bytes over time, and what TCP tells of itself.

What came is counted by who receives it: a download here, an upload by the room's measurement messages. Large
buffers, and no work for each octet: one core carries several Gbit/s.
"""

from __future__ import annotations

import os
import threading
import time
from typing import NamedTuple

from probes import ndt7, websocket
from probes.loaded import Way
from probes.seen import Seen
from probes.session import ProbeFailure
from probes.steady import Sample, total_at
from probes.stream import Stream, Target, Wanted, connect, upgrade
from probes.tcp_info import TcpInfo, tcp_info
from probes.websocket import FrameReader

STALL_S = 3.0
FAREWELL_S = 0.8  # for the room's last message about an upload
TURN_S = 10.0
_LOOK_S = 0.002  # how often TCP is asked
_WAIT_S = 0.02
_SAMPLE_NS = 1_000_000
_BUFFER, _MOST_CHUNK, _LEAST_CHUNK = 1 << 18, 1 << 16, 1400
_CHUNK_S = 0.01  # a TLS record, all of which must come before any of it counts, lasts no longer
_SMALL_BUDGET, _LEAST_WINDOW = 2_000_000, 16_384  # where it counts what is on its way, that is bounded
_HEAD = 14  # octets of the longest frame header
_PLANNED_END = 0.8  # of the specification's time: the room closes before that only when something is wrong


class Plan(NamedTuple):
    """What a transfer may cost, and how long it waits for its turn."""

    most_bytes: float = float("inf")
    turn_s: float = TURN_S
    most_s: float = ndt7.LONGEST_S


class Transfer:
    """`start()`, then `release()` when the path is idle, and `stop()`. `failure` says why it came to nothing.

    `round_trip_s`: as it is now, told by the caller: so much may still be on its way.
    """

    way: Way = "down"

    def __init__(self, target: Target, plan: Plan) -> None:
        self.seen = Seen(self.way)
        self.failure: ProbeFailure | None = None
        self.error: BaseException | None = None
        self.round_trip_s = 0.1
        self._target, self._plan = target, plan
        self._wanted = Wanted()
        self._released = threading.Event()
        self._reader = FrameReader(masked=False, most_binary=ndt7.MOST_RECEIVED)
        self._thread = threading.Thread(target=self._run, name=f"ndt7-{self.way}", daemon=True)
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)
        self._pings: list[bytes] = []
        self._looked_ns = self._progress_ns = 0
        self._window = 0

    def start(self) -> None:
        """Connect, in the thread."""
        self._thread.start()

    def release(self) -> None:
        """Ask for the transfer now."""
        self._released.set()

    def stop(self) -> None:
        """Enough: end it."""
        self._wanted.no = True
        self._released.set()

    @property
    def ended(self) -> bool:
        """Is the thread at its end?"""
        return not self._thread.is_alive()

    def join(self, seconds: float) -> bool:
        """Wait for the end; False when it has not come."""
        self._thread.join(seconds)
        return self.ended

    # ---- the thread ----------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            stream, self.seen.congestion_control = connect(self._target, self._window)
            try:
                self._released.wait()
                if not self._wanted.no:
                    self._begin(stream)
            finally:
                payload = self._reader.binary_bytes + self._sent()
                self.seen.account(tcp_info(stream.sock), payload, v6=":" in self._target.address[0])
                stream.abort()
        except ProbeFailure as failure:
            self.failure = failure
        except BaseException as error:  # noqa: BLE001 - a defect, handed to the caller
            self.error = error

    def _begin(self, stream: Stream) -> None:
        path = ndt7.UPLOAD_PATH if self.way == "up" else ndt7.DOWNLOAD_PATH
        rest = upgrade(stream, self._target, path, self._plan.turn_s, self._wanted)
        self.seen.began_unix_ns, self.seen.began_ns = time.time_ns(), time.monotonic_ns()
        try:
            self._read(memoryview(rest))
            self._flow(stream)
        finally:
            self.seen.loaded_ns = self.seen.loaded_ns or self._since()

    def _flow(self, stream: Stream) -> None:
        raise NotImplementedError

    def _sent(self) -> int:
        return 0

    def _since(self) -> int:
        return time.monotonic_ns() - self.seen.began_ns

    def _take(self, stream: Stream) -> int:
        """Read what is there; how much it was. Raises ProbeFailure."""
        count = stream.receive(self._buffer)
        if count == 0:
            self._closed()
            self._wanted.no = True
        elif count:
            self._read(self._view[:count])
        return count or 0

    def _closed(self) -> None:
        """The room has ended it; long before its time that is no end but a failure."""
        if not (self._wanted.no or self.seen.all_sent) and self._since() < _PLANNED_END * self._plan.most_s * 1e9:
            raise ProbeFailure("transfer_stalled", "the room ended it in the middle")

    def _read(self, view: memoryview) -> None:
        try:
            messages = self._reader.feed(view)
        except websocket.WebSocketError as error:
            raise ProbeFailure("room_protocol", str(error)) from error
        for message in messages:
            if message.opcode == websocket.PING:
                self._pings.append(message.payload)
            elif message.opcode == websocket.TEXT and (told := ndt7.parse_measurement(message.text)):
                self.seen.told(told)

    def _answer_pings(self, stream: Stream) -> None:
        """Between two frames of our own only."""
        for payload in self._pings:
            stream.send(memoryview(websocket.frame(websocket.PONG, payload, websocket.new_mask())))
        self._pings.clear()

    def _look(self, stream: Stream) -> bool:
        """Now and then: what TCP says, and whether it still moves. Was it time for that?"""
        now = self._since()
        if now - self._looked_ns < _LOOK_S * 1e9:
            return False
        self._looked_ns = now
        self._note(now, tcp_info(stream.sock))
        if now - self._progress_ns > STALL_S * 1e9:
            raise ProbeFailure("transfer_stalled", f"nothing moved for {STALL_S:.0f} s")
        if now > self._plan.most_s * 1e9:
            self._wanted.no = True
        return True

    def _note(self, now_ns: int, info: TcpInfo | None) -> None:
        self.seen.looked(now_ns, time.time_ns(), info)


class Download(Transfer):
    """From the room: this end counts."""

    way: Way = "down"

    def __init__(self, target: Target, plan: Plan) -> None:
        super().__init__(target, plan)
        if plan.most_bytes < _SMALL_BUDGET:
            self._window = max(_LEAST_WINDOW, int(plan.most_bytes / 4))

    def _flow(self, stream: Stream) -> None:
        self.seen.congestion_control = ""  # the sender's is what counts, and the sender will say
        while not (self._wanted.no or self._reader.closed or self.seen.all_sent):
            if self._take(stream):
                self._received()
                self._answer_pings(stream)
            else:
                stream.wait(_WAIT_S)
            self._look(stream)
        if self._reader.closed:
            self._closed()

    def _received(self) -> None:
        now, total = self._since(), self._reader.binary_bytes
        samples = self.seen.samples
        if total + self._window >= self._plan.most_bytes:
            self.seen.all_sent = True
        if not samples or (now - samples[-1].at_ns >= _SAMPLE_NS and total > samples[-1].total):
            samples.append(Sample(now, total))
            self._progress_ns = now
            self.seen.all_sent |= total + self._on_its_way(now, total) >= self._plan.most_bytes

    def _on_its_way(self, now_ns: int, total: int) -> float:
        """What may still come when this end stops: in slow start twice as much as came in the last round trip."""
        if total * 4 < self._plan.most_bytes:
            return 0
        lately = now_ns - int(self.round_trip_s * 1e9)
        ahead = 2 * (total - total_at(self.seen.samples, lately))
        return min(ahead, self._window) if self._window else ahead


class Upload(Transfer):
    """To the room: it counts, and says so in messages."""

    way: Way = "up"

    def __init__(self, target: Target, plan: Plan) -> None:
        super().__init__(target, plan)
        self._handed = self._done = 0
        self._chunk = 4096

    def _sent(self) -> int:
        return self._handed

    def _flow(self, stream: Stream) -> None:
        frame = bytearray(_HEAD) + os.urandom(ndt7.MOST_MESSAGE)
        size = ndt7.FIRST_MESSAGE
        while not (self._wanted.no or self._reader.closed or self.seen.all_sent):
            head = websocket.frame_header(websocket.BINARY, size, websocket.new_mask())
            frame[_HEAD - len(head) : _HEAD] = head  # random octets are as random under a new mask
            self._send(stream, memoryview(frame)[_HEAD - len(head) : _HEAD + size])
            size = ndt7.message_size(size, self._handed)
            self.seen.all_sent = self._handed >= self._plan.most_bytes
        self.seen.loaded_ns = self._since()
        if self._reader.closed:
            self._closed()
        elif not self._wanted.no:
            self._farewell(stream)

    def _send(self, stream: Stream, rest: memoryview) -> None:
        """A whole frame, unless it is stopped."""
        while rest and not (self._wanted.no or self._reader.closed):
            offered = rest[: self._chunk]
            while not (sent := stream.send(offered)) and not self._wanted.no:
                stream.wait(_WAIT_S, write=True)
                self._listen(stream)
            self._handed += sent
            rest = rest[sent:]
            self._listen(stream)
        if not rest:
            self._answer_pings(stream)

    def _listen(self, stream: Stream) -> None:
        if self._look(stream):
            while self._take(stream):
                pass

    def _note(self, now_ns: int, info: TcpInfo | None) -> None:
        super()._note(now_ns, info)
        series = self.seen.acknowledged
        done = series[-1].total if series else self._handed
        if done > self._done:
            self._done, self._progress_ns = done, now_ns
        self._chunk = max(_LEAST_CHUNK, min(_MOST_CHUNK, int(done / max(now_ns, 1) * 1e9 * _CHUNK_S)))

    def _farewell(self, stream: Stream) -> None:
        """All is sent: ask for the room's last word, which a short transfer needs."""
        stream.send(memoryview(websocket.close_frame(mask=websocket.new_mask())))
        end = self._since() + FAREWELL_S * 1e9
        while not (self._wanted.no or self._reader.closed) and self._since() < end:
            if not self._take(stream):
                stream.wait(_WAIT_S)
