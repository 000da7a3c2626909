"""scripts/bench reflector: packets per CPU-second of our reflector and irtt's server, and memory per session."""

from __future__ import annotations

import argparse
import socket
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import NamedTuple

from bench import irtt
from bench.flooder import Cost, Flooder, Load
from bench.processes import BenchError, Helper, helper, pinned, popen, resident_bytes, run
from bench.table import Row, print_table, verdict
from probes import stamp

HOST, SERVER_CORE, FLOODER_CORE = "127.0.0.1", 0, 1
LOADS = (Load(5_000, 128), Load(20_000, 128), Load(None, 8), Load(None, 128), Load(None, 512))
SECONDS, SIZE = 2.0, 172
PACKETS = 100_000  # at most, in one measurement
_NOW_NS = 1_700_000_000_000_000_000
SESSIONS = 50  # that the authenticated packets come from, in turn
IRTT = "irtt server, plain, 172 B"

Sessions = list[tuple[int, stamp.Key | None]]  # SSID and key


class Ours(NamedTuple):
    """A kind of STAMP packet, and how many of irtt's packets per CPU-second it should reach."""

    name: str
    size: int
    authenticated: bool
    follow_up: bool
    target: float


KINDS = (
    Ours("ours, plain, 172 B", SIZE, False, False, 1.0),
    Ours("ours, authenticated, 112 B", stamp.AUTH_BYTES, True, False, 0.55),
    Ours("ours, authenticated with Follow-Up and HMAC TLV, 172 B", SIZE, True, True, 0.55),
)


@contextmanager
def _connected(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect((HOST, port))
        yield sock


def _stamp_packets(kind: Ours, sessions: Sessions, count: int) -> bytearray:
    """`count` packets, signed, of the sessions in turn, each session's numbered from 0."""
    buffer = stamp.template(kind.size, authenticated=kind.authenticated, follow_up=kind.follow_up)
    out = bytearray()
    for n in range(count):
        sequence, which = divmod(n, len(sessions))
        ssid, key = sessions[which]
        stamp.write_sender(buffer, stamp.SenderPacket(sequence, _NOW_NS, 1, ssid), key, follow_up=kind.follow_up)
        out += buffer
    return out


def _packets_of(load: Load) -> int:
    return PACKETS if load.rate is None else min(PACKETS, int(load.rate * SECONDS * 1.2))


def _issue(room: Helper, count: int, rate: int = 1_000_000) -> Sessions:
    issued = room.ask({"issue": count, "seconds": 60, "rate": rate}, timeout=60)["sessions"]
    return [(ssid, stamp.Key(bytes.fromhex(secret))) for ssid, secret in issued]


def _measure_ours(room: Helper, port: int, kind: Ours, load: Load) -> Cost:
    sessions: Sessions = _issue(room, SESSIONS + 1) if kind.authenticated else [(0, None)] * 2
    with _connected(port) as sock:
        _check_answer(sock, kind, sessions.pop())
    if not kind.authenticated:
        sessions = sessions[:1]
    with _connected(port) as sock:
        packets = _stamp_packets(kind, sessions, _packets_of(load))
        flooder = Flooder(sock, packets, kind.size, _counter(kind, sessions))
        return flooder.run(load, SECONDS, room.process.pid)


def _counter(kind: Ours, sessions: Sessions) -> Callable[[memoryview], int]:
    """How many answers there have been, from the latest one's own number and its session's place in the turn."""
    places, count = {ssid: i for i, (ssid, _) in enumerate(sessions)}, len(sessions)

    def answered(reply: memoryview) -> int:
        place = places[stamp.read_ssid(reply, authenticated=kind.authenticated)]
        return int.from_bytes(reply[:4], "big") * count + place + 1

    return answered


def _check_answer(sock: socket.socket, kind: Ours, session: tuple[int, stamp.Key | None]) -> None:
    """Is the answer to a session's first packet right, and does it carry number 0?"""
    sock.settimeout(5.0)
    sock.send(_stamp_packets(kind, [session], 1))
    try:
        reply = bytearray(sock.recv(2048))
    except OSError:
        raise BenchError("the reflector does not answer") from None
    read = stamp.read_reflector(reply, authenticated=kind.authenticated)
    good = read is not None and read.sequence == 0 and len(reply) == kind.size
    if not good or (session[1] is not None and not stamp.base_signed(reply, session[1])):
        raise BenchError("the reflector's answer is wrong")


def _measure_irtt(pid: int, load: Load) -> Cost:
    with _connected(irtt.PORT) as sock:
        token = irtt.open_session(sock, SIZE)
        packets = irtt.echo_requests(token, _packets_of(load), SIZE)
        at, end = irtt.COUNT_AT, irtt.COUNT_AT + 4
        flooder = Flooder(sock, packets, SIZE, lambda reply: int.from_bytes(reply[at:end], "little"))
        cost = flooder.run(load, SECONDS, pid)
        irtt.close_session(sock, token)
        return cost


def _rounds(rounds: int) -> dict[tuple[str, Load], list[float]]:
    """Packets per CPU-second of each kind under each load, one value a round, interleaved."""
    found: dict[tuple[str, Load], list[float]] = defaultdict(list)
    with pinned(SERVER_CORE), irtt.server(popen, HOST) as other, helper(popen, "room_process") as room:
        port = room.ask({"open": HOST, "plain": True})["port"]
        with pinned(FLOODER_CORE):
            takers: list[tuple[str, Callable[[Load], Cost]]] = [(IRTT, lambda load: _measure_irtt(other.pid, load))]
            takers += [(k.name, lambda load, k=k: _measure_ours(room, port, k, load)) for k in KINDS]  # type: ignore[misc]
            for load in LOADS * rounds:
                for name, measure in takers:
                    found[name, load].append(measure(load).per_cpu_second)
    return found


def _print_speed(found: dict[tuple[str, Load], list[float]]) -> None:
    middle = {key: median(values) for key, values in found.items()}
    best = {name: max(middle[name, load] for load in LOADS) for name in (IRTT, *(k.name for k in KINDS))}
    rows: list[Row] = [(name, *(f"{middle[name, load]:,.0f}" for load in LOADS), f"{best[name]:,.0f}") for name in best]
    print("\nPackets reflected per CPU-second of the server's process, medians\n")
    print_table(("", *(str(load) for load in LOADS), "best"), rows)
    print("\nRatios of the best, ours / irtt\n")
    for kind in KINDS:
        ratio = best[kind.name] / best[IRTT]
        print(f"  {kind.name}: {ratio:.2f}  (target: at least {kind.target:.2f}) {verdict(ratio >= kind.target)}")


def _print_memory(sessions: int, packets: int = 5) -> None:
    kind = KINDS[-1]
    with helper(popen, "room_process") as room:
        port = room.ask({"open": HOST, "plain": False})["port"]
        empty = resident_bytes(room.process.pid)
        issued = _issue(room, sessions, 100)
        with _connected(port) as sock:
            for session in issued:
                _exchange(sock, _stamp_packets(kind, [session], packets), kind.size)
        full, reflected = resident_bytes(room.process.pid), room.ask({"counts": True})["reflected"]
    print(f"\nResident memory of the reflector's process (Python included), {reflected} packets reflected\n")
    print(f"  without a session: {empty / 1e6:.1f} MB;  with {sessions}: {full / 1e6:.1f} MB;", end="  ")
    print(f"{(full - empty) / sessions / 1e3:.2f} kB a session")


def _exchange(sock: socket.socket, packets: bytearray, size: int) -> None:
    sock.settimeout(5.0)
    for at in range(0, len(packets), size):
        sock.send(packets[at : at + size])
        try:
            sock.recv(2048)
        except OSError:
            raise BenchError("the reflector does not answer") from None


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench reflector", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sessions", type=int, default=2000)
    options = parser.parse_args()
    if not (1 <= options.rounds <= 100 and 1 <= options.sessions <= 50_000):
        parser.error("--rounds is 1 to 100, --sessions 1 to 50000")
    irtt.require()
    _print_speed(_rounds(options.rounds))
    _print_memory(options.sessions)


if __name__ == "__main__":
    run(main)
