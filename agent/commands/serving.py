"""`room`: the far end of the tests, and what an organisation keeps there."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def room(
    listen: Annotated[
        str, typer.Option(help="HOST:PORT for HTTPS; an empty host means every address")
    ] = "127.0.0.1:8443",
    stamp_port: Annotated[int, typer.Option(help="UDP port of the reflector; 0: any")] = 8862,
    tls_cert: Annotated[Path | None, typer.Option(help="a certificate chain (PEM)")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="its key (PEM)")] = None,
    token_file: Annotated[Path | None, typer.Option(help="the organisations' tokens (TOML)")] = None,
    open_stamp: Annotated[list[str] | None, typer.Option(help="a network that may use plain STAMP")] = None,
    max_sessions: Annotated[int, typer.Option(help="how many sessions at once")] = 2000,
    max_packets_per_second: Annotated[float, typer.Option(help="of one session")] = 1500.0,
    open_ndt7: Annotated[bool, typer.Option("--open-ndt7", help="let every ndt7 client measure here")] = False,
    no_throughput: Annotated[bool, typer.Option("--no-throughput", help="no tests that fill the link")] = False,
    no_calls: Annotated[bool, typer.Option("--no-calls", help="take no calls")] = False,
    max_calls: Annotated[int | None, typer.Option(help="calls at once (default 40 a worker)")] = None,
    call_workers: Annotated[int | None, typer.Option(help="processes for calls, a core each (default 1)")] = None,
    call_address: Annotated[str | None, typer.Option(help="where callers send, if not where they asked")] = None,
    call_ports: Annotated[str | None, typer.Option(help="UDP ports of calls, like 50000-50099")] = None,
    turn: Annotated[list[str] | None, typer.Option(help="a relay that callers may use; may be repeated")] = None,
    turn_secret_file: Annotated[Path | None, typer.Option(help="the secret that the relay shares")] = None,
    guests: Annotated[bool, typer.Option("--guests", help="the page /test for everybody")] = False,
    store: Annotated[str | None, typer.Option(help="keep self-tests: a file, or a database URL")] = None,
    keep_days: Annotated[float, typer.Option(help="how long the store keeps a self-test")] = 365.0,
    policy: Annotated[Path | None, typer.Option(help="how long a self-test counts: your own policy file")] = None,
) -> None:
    """Run the test room that others measure against."""
    from agent import roomcalls, roomservice

    calls = roomcalls.CallOptions(
        calls=not no_calls,
        guests=guests,
        most=max_calls,
        workers=call_workers,
        address=call_address,
        ports=call_ports,
        turn=tuple(turn or ()),
        turn_secret_file=turn_secret_file,
    )
    asked = roomservice.RoomOptions(
        listen=listen,
        stamp_port=stamp_port,
        tls_cert=tls_cert,
        tls_key=tls_key,
        token_file=token_file,
        open_stamp=tuple(open_stamp or ()),
        max_sessions=max_sessions,
        max_packets_per_second=max_packets_per_second,
        open_ndt7=open_ndt7,
        throughput=not no_throughput,
        calls=calls,
        store=store,
        keep_days=keep_days,
        policy=policy,
    )
    roomservice.run(asked)
