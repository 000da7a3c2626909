"""`motesklar room`: check what was asked, run the room until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import signal
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from agent import roomcalls
from agent.options import UsageError
from agent.settings import state_folder
from reports.policy import PolicyError, load_policy
from reports.store.address import address
from reports.store.shapes import StoreError
from testroom import certificate, tokens
from testroom.event_loop import loop_factory
from testroom.limits import Limits
from testroom.server import RoomSettings, TestRoom
from testroom.sessions import MOST_SESSIONS

if TYPE_CHECKING:
    from testroom.admission import Network


LEAST_DAYS, KEEP_DAYS, MOST_DAYS = 1.0, 365.0, 3650.0


@dataclass(frozen=True, slots=True)
class RoomOptions:
    """As given on the command line."""

    listen: str
    stamp_port: int
    tls_cert: Path | None
    tls_key: Path | None
    token_file: Path | None
    open_stamp: tuple[str, ...]
    max_sessions: int
    max_packets_per_second: float
    open_ndt7: bool = False
    throughput: bool = True
    calls: roomcalls.CallOptions = field(default_factory=roomcalls.CallOptions)
    store: str | None = None
    keep_days: float = KEEP_DAYS
    policy: Path | None = None


def run(options: RoomOptions) -> None:
    """Serve until SIGINT or SIGTERM. UsageError when it cannot start."""
    settings = settings_of(options)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_serve(settings, options))
    except (certificate.CertificateError, StoreError) as error:
        raise UsageError(str(error)) from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise UsageError(
            f"cannot listen on {options.listen} or UDP {options.stamp_port}: {reason}; choose others"
        ) from None


def settings_of(options: RoomOptions) -> RoomSettings:
    """Everything checked. Raises UsageError."""
    host, port = _host_port(options.listen)
    if not 0 <= options.stamp_port <= 65535:
        raise UsageError(f"--stamp-port must be between 0 and 65535, not {options.stamp_port}")
    if not 1 <= options.max_sessions <= MOST_SESSIONS:
        raise UsageError(f"--max-sessions must be between 1 and {MOST_SESSIONS}, not {options.max_sessions}")
    if not 1 <= options.max_packets_per_second <= 1e6:
        raise UsageError(
            f"--max-packets-per-second must be between 1 and 1000000, not {options.max_packets_per_second:g}"
        )
    if not LEAST_DAYS <= options.keep_days <= MOST_DAYS:
        raise UsageError(f"--keep-days must be between {LEAST_DAYS:g} and {MOST_DAYS:g}, not {options.keep_days:g}")
    if options.open_ndt7 and not options.throughput:
        raise UsageError("--open-ndt7 and --no-throughput contradict each other")
    try:
        return RoomSettings(
            host=host,
            port=port,
            stamp_port=options.stamp_port,
            certificate=_pair(options),
            tokens=tokens.read(options.token_file) if options.token_file else None,
            open_stamp=tuple(_network(text) for text in options.open_stamp),
            limits=Limits(sessions=options.max_sessions, packets_per_second=options.max_packets_per_second),
            bulk=True,
            open_ndt7=options.open_ndt7,
            throughput=options.throughput,
            calls=roomcalls.settings_of(options.calls),
            guests=options.calls.guests,
            store=address(options.store) if options.store else None,
            keep_days=options.keep_days,
            policy=load_policy(options.policy) if options.policy else None,
        )
    except (certificate.CertificateError, tokens.TokenFileError, PolicyError) as error:
        raise UsageError(str(error)) from None


def _pair(options: RoomOptions) -> certificate.Pair:
    if (options.tls_cert is None) != (options.tls_key is None):
        raise UsageError("--tls-cert and --tls-key go together")
    if options.tls_cert is not None and options.tls_key is not None:
        return certificate.read(options.tls_cert, options.tls_key)
    return certificate.keep(state_folder())


def _host_port(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise UsageError(f"--listen looks like 0.0.0.0:8443 or [::]:8443, not {listen!r}")
    return host.strip("[]"), int(port)


def _network(text: str) -> Network:
    try:
        return ipaddress.ip_network(text)
    except ValueError:
        raise UsageError(f"--open-stamp takes a network like 10.0.0.0/8, not {text!r}") from None


async def _serve(settings: RoomSettings, options: RoomOptions) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with TestRoom(settings) as room:
        _announce(room, options)
        await stop.wait()


def _announce(room: TestRoom, options: RoomOptions) -> None:
    out = sys.stderr
    print(f"test room: {room.url}", file=out)
    print(f"UDP port {room.stamp_port}, certificate SHA-256 {room.fingerprint.hex(':')}", file=out)
    if room.settings.tokens is None:
        print("no --token-file: only this computer gets sessions", file=out)
    if options.open_stamp:
        print(f"plain STAMP is open to {', '.join(options.open_stamp)}", file=out)
    if options.open_ndt7:
        print("ndt7 is open to everybody who reaches the room", file=out)
    if (calls := room.settings.calls) is not None:
        print(f"calls: {calls.places} at once, UDP {_said(calls.ports)}", file=out)
    elif options.calls.calls:
        print("no calls: the package aiortc is not installed", file=out)
    if room.settings.store is not None:
        print(f"self-tests are kept for {room.settings.keep_days:g} days", file=out)
    if room.settings.guests:
        print("the page /test is open to everybody who reaches the room", file=out)
    out.flush()


def _said(ports: tuple[int, int] | None) -> str:
    return f"{ports[0]}-{ports[1]}" if ports else "any port"
