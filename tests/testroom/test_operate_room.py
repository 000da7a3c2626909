"""The coturn configuration of docs/operate-room.md: a real coturn takes it, and relays to the room and nowhere else."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from aioice import stun, turn

from testroom.calls.turn import Turn
from tests import turn_server

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs/operate-room.md").read_text("utf-8")
CONFIGURATION = re.findall(r"```\n(# who may:.*?)```", DOCUMENT, re.DOTALL)[0]
SECRET, RELAY, ROOM, STRANGER = "a-secret-of-enough-characters", "127.0.0.4", "127.0.0.5", "127.0.0.6"

pytestmark = pytest.mark.skipif(turn_server.PROGRAM is None, reason="turnserver is not installed (Debian: coturn)")


@contextmanager
def coturn(folder: Path) -> Iterator[tuple[int, Path]]:
    """As documented, but for addresses, ports and files; and peers on loopback, which coturn denies by itself."""
    pair = turn_server.certificate("turn.example", RELAY)
    (folder / "chain.pem").write_bytes(pair.chain)
    (folder / "key.pem").write_bytes(pair.key)
    port, tls = (turn_server._free(RELAY) for _ in range(2))
    text = CONFIGURATION
    for old, new in {
        "PUT-THE-SECRET-HERE": SECRET, "203.0.113.20": RELAY, "203.0.113.10": ROOM, "=3478": f"={port}",
        "=443": f"={tls}", "/etc/coturn/": f"{folder}/", "\nsyslog": "",
    }.items():  # fmt: skip
        assert old in text
        text = text.replace(old, new)
    (folder / "turnserver.conf").write_text(f"{text}\nallow-loopback-peers\nuserdb={folder}/db\npidfile={folder}/pid\n")
    log = folder / "log"
    command = [str(turn_server.PROGRAM), "-c", str(folder / "turnserver.conf"), "--log-file=stdout"]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder)
        try:
            settings = turn_server.Turn(address=RELAY, certificate=pair)
            turn_server._till_it_answers(turn_server.RunningTurn(settings, port, tls, process, log))
            yield port, log
        finally:
            turn_server.end(process)


async def allocated(port: int) -> turn.TurnClientUdpProtocol:
    """With the room's own credentials."""
    given = Turn((f"turn:{RELAY}:{port}",), SECRET.encode()).server(60)
    _, protocol = await asyncio.get_running_loop().create_datagram_endpoint(
        lambda: turn.TurnClientUdpProtocol((RELAY, port), given["username"], given["credential"], 600, 500),
        remote_addr=(RELAY, port),
    )
    relayed = await protocol.connect()
    assert relayed[0] == RELAY
    return protocol


async def test_coturn_takes_the_documented_configuration(tmp_path: Path) -> None:
    with coturn(tmp_path) as (port, log):
        client = await allocated(port)
        await client.channel_bind(0x4000, (ROOM, 50000))
        with pytest.raises(stun.TransactionFailed, match="403"):
            await client.channel_bind(0x4001, (STRANGER, 50000))
        client.transport.close()
        await asyncio.sleep(0.05)
        said = [line for line in log.read_text("utf-8", "replace").splitlines() if f"{STRANGER} denied" not in line]
    assert not [line for line in said if re.search(r"(?i)bad config|unknown|unrecogni|invalid|cannot|error", line)]
