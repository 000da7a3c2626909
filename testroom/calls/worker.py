"""The process in which calls run: it has its own event loop and core, and no part in HTTPS or STAMP.

Standard input: a JSON line for each order, {"ask": n, "do": "call"|"state"|"end", "call": id, …}. Standard output:
{"answer": n, …} to each; {"event": "connected"|"ended", "call": id, …counts}; {"beat": totals} every second, by which
the room sees that it lives. When its input is closed the process ends. Nothing of a call outlives it.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from typing import Any

from aiortc.rtcdtlstransport import RTCCertificate, RTCDtlsFingerprint, RTCDtlsParameters, RTCDtlsTransport

from testroom.calls import offer as call_offer
from testroom.calls.port import CallPort, bound
from testroom.calls.relay import Relay
from testroom.calls.rules import BEAT_S, LONGEST_S, MOST_CONNECTING_S, SILENCE_S
from testroom.event_loop import loop_factory

_TICK_S = 0.25
_CLOSING_S = 0.5


class Call:
    """One call from its offer to its end."""

    def __init__(self, offer: call_offer.Offer, port_of: dict[str, Any], certificate: RTCCertificate) -> None:
        sock = bound(tuple(port_of["bind"]), tuple(port_of["ports"]) if port_of["ports"] else None)
        self.state, self.began = "connecting", time.monotonic()
        self.port = CallPort(sock, offer.ufrag, lambda datagram: self.relay.take(datagram))
        self.cname = self.port.ufrag
        self.relay = Relay({s.payload_type: s.kind for s in offer.sections if s.kind}, self.port.send, self.cname)
        self._offer, self._certificate = offer, certificate
        # the port stands in for an RTCIceTransport: of that, _recv, _send and role are all that is used
        self._dtls = RTCDtlsTransport(self.port, [certificate])  # type: ignore[arg-type]
        self._dtls._set_role("server")
        self.task = asyncio.create_task(self._connect())

    def answer(self, address: str) -> str:
        """The SDP answer, with that address as the only candidate."""
        prints = {f.algorithm: f.value for f in self._certificate.getFingerprints()}
        ours = call_offer.Ours(
            address=address.partition("%")[0],
            port=self.port.port,
            ufrag=self.port.ufrag,
            password=self.port.password,
            fingerprint=prints["sha-256"],
            ssrcs={kind: int.from_bytes(s.ours, "big") for kind, s in self.relay.streams.items()},
            cname=self.cname,
        )
        return call_offer.write(self._offer, ours)

    async def _connect(self) -> None:
        prints = [RTCDtlsFingerprint(algorithm, value) for algorithm, value in self._offer.fingerprints]
        await self._dtls.start(RTCDtlsParameters(fingerprints=prints))
        if self._dtls.state != "connected":
            self.state = "ended"
            return
        self.relay.last = time.monotonic()
        self.state = "connected"
        self.relay.start(self._dtls._rx_srtp, self._dtls._tx_srtp)

    def is_over(self, now: float) -> bool:
        """Has it ended, or is it to end?"""
        if self.state == "connecting":
            return now - self.began > MOST_CONNECTING_S
        hung_up = self.state == "ended" or self._dtls.state in ("closed", "failed")
        return hung_up or now - self.relay.last > SILENCE_S or now - self.began > LONGEST_S

    async def close(self) -> None:
        """Say goodbye if anybody is there, and let the port go."""
        self.state = "ended"
        try:
            async with asyncio.timeout(_CLOSING_S):
                await self._dtls.stop()
        except (TimeoutError, ConnectionError):
            pass
        finally:
            self.port.close()
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)

    def account(self) -> dict[str, Any]:
        """State and counts."""
        return {"state": self.state, **self.relay.counts()}


class Worker:
    """Every call of this process."""

    def __init__(self) -> None:
        self.calls: dict[str, Call] = {}
        self.certificate = RTCCertificate.generateCertificate()
        self._returned = {"audio": 0, "video": 0}  # of calls that have ended
        self._connected: set[str] = set()
        self._looked = time.monotonic()
        self._tasks: set[asyncio.Task[None]] = set()
        self._stop = asyncio.Event()

    async def run(self) -> None:
        """Until the input ends."""
        threading.Thread(target=self._listen, args=(asyncio.get_running_loop(),), daemon=True).start()
        said = 0.0
        while not self._stop.is_set():
            self._look()
            if (now := time.monotonic()) - said >= BEAT_S:
                self._say(beat=self._totals())
                said = now
            try:
                async with asyncio.timeout(_TICK_S):
                    await self._stop.wait()
            except TimeoutError:
                continue
        await asyncio.gather(*(call.close() for call in self.calls.values()))

    def _listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """In a thread: a pipe cannot be waited for by every event loop."""
        for line in sys.stdin.buffer:
            loop.call_soon_threadsafe(self._order, json.loads(line))
        loop.call_soon_threadsafe(self._stop.set)

    def _order(self, order: dict[str, Any]) -> None:
        if order["do"] == "call":
            self._say(answer=order["ask"], **self._begin(order))
        elif (call := self.calls.get(order["call"])) is None:
            self._say(answer=order["ask"], unknown=True)
        elif order["do"] == "end":
            self._end(order["call"])
            self._say(answer=order["ask"], **call.account())
        else:
            self._say(answer=order["ask"], **call.account())

    def _begin(self, order: dict[str, Any]) -> dict[str, str]:
        try:
            call = Call(call_offer.read(order["sdp"]), order, self.certificate)
        except call_offer.OfferError as error:
            return {"refused": "room_protocol", "detail": str(error)}
        except OSError:
            return {"refused": "room_busy", "detail": "no port"}
        self.calls[order["call"]] = call
        call.task.add_done_callback(lambda _: self._look())
        return {"sdp": call.answer(order["say"] or call.port.address)}

    def _look(self) -> None:
        """Tell of calls that have begun, end those whose time is over."""
        now = time.monotonic()
        passed, self._looked = now - self._looked, now
        for identifier, call in list(self.calls.items()):
            call.relay.refill(passed)
            if call.is_over(now):
                self._end(identifier)
            elif call.state == "connected" and identifier not in self._connected:
                self._connected.add(identifier)
                self._say(event="connected", call=identifier)

    def _end(self, identifier: str) -> None:
        call = self.calls.pop(identifier)
        self._connected.discard(identifier)
        call.state = "ended"
        for kind, stream in call.relay.streams.items():
            self._returned[kind] += stream.returned if kind == "audio" else stream.frames_returned
        self._say(event="ended", call=identifier, **call.account())
        task = asyncio.create_task(call.close())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _totals(self) -> dict[str, int]:
        counts = [call.relay.counts() for call in self.calls.values()]
        return {kind: ended + sum(c[f"{kind}_returned"] for c in counts) for kind, ended in self._returned.items()}

    def _say(self, **line: Any) -> None:
        sys.stdout.buffer.write(json.dumps(line).encode() + b"\n")
        sys.stdout.buffer.flush()


def main() -> None:
    """Run until the input ends."""
    with asyncio.Runner(loop_factory=loop_factory(reads_sockets=True)) as runner:
        runner.run(Worker().run())


if __name__ == "__main__":
    main()
