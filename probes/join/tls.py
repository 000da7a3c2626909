"""tls: is the portal's certificate good, by the system's own trust, and made by whom it should be?

A refused certificate is fetched once more without verification, and looked at: by it one knows who can mend what.
"""

from __future__ import annotations

import asyncio
import ssl
import time
from typing import TYPE_CHECKING

from probes import trust
from probes.join.certificates import Certificate, fault, read
from probes.join.clock import server_time
from probes.join.dial import MARGIN_S, Stream, authority, connect, portal_of, secure, why
from probes.join.head import HEAD_BYTES, read_head, request
from probes.join.reach import CODES, DialError

if TYPE_CHECKING:
    import socket

    from probes.join.errand import Errand
    from probes.session import ProbeFailure

SECONDS, LEFT = "tls_handshake_seconds", "certificate_left_seconds"
DAY_S = 86_400.0
ANY = b"any"  # for trust.context: whatever certificate. Such a connection carries but a question for the time


async def step(errand: Errand) -> None:
    """The handshake as a browser does it."""
    host, port = portal_of(errand)
    sock = await _connected(errand, host, port)
    try:
        stream = await secure(sock, trust.context(), host, errand.deadline - MARGIN_S)
    except ssl.SSLCertVerificationError as error:
        raise await _refused(errand, host, port, error) from None
    except OSError as error:
        raise errand.fail("tls_failed", why(error)) from None
    errand.m.values[SECONDS] = stream.seconds
    seen, version = read(stream.tls), stream.tls.version()
    stream.close()
    _note(errand, seen, version)
    _look_at_issuer(errand, seen)


async def _connected(errand: Errand, host: str, port: int) -> socket.socket:
    try:
        return await connect(errand, host, port, errand.deadline - MARGIN_S)
    except DialError as error:
        code = CODES[error.kind] if error.kind.startswith("proxy") else "tls_failed"
        raise errand.fail(code, error.detail or f"TCP: {error.kind}") from None


def _note(errand: Errand, seen: Certificate | None, version: str | None) -> None:
    facts = errand.m.facts
    facts["tls_version"] = version or "unknown"
    if seen is None:
        errand.m.unknown[LEFT] = "the certificate could not be read"
        return
    errand.m.values[LEFT] = left = seen.ends - time.time()
    facts["days_left"] = int(left // DAY_S)
    if seen.issuer is not None:
        facts["issuer"] = seen.issuer
    if seen.chain is not None:
        facts["chain_length"] = seen.chain


def _look_at_issuer(errand: Errand, seen: Certificate | None) -> None:
    """Trusted by this computer, because somebody who reads along has made it so?"""
    wanted = errand.session.profile.issuers
    if wanted and seen is not None and not seen.made_by(wanted):
        errand.remark("tls_intercepted", f"issuer {seen.issuer}" if seen.issuer else "")


# ---- a refused certificate --------------------------------------------------------------------------------------


async def _refused(errand: Errand, host: str, port: int, error: ssl.SSLCertVerificationError) -> ProbeFailure:
    """Fetch it and the server's clock, and say what is the matter."""
    seen, server = None, None
    try:
        sock = await connect(errand, host, port, errand.deadline - MARGIN_S)
        stream = await secure(sock, trust.context(ANY), host, errand.deadline - MARGIN_S)
    except (DialError, OSError):
        pass
    else:
        seen, version = read(stream.tls), stream.tls.version()
        server = await _clock(errand, stream, authority(host, port))
        _note(errand, seen, version)
    code, detail = fault(getattr(error, "verify_code", None), seen, host, time.time(), server)
    if code == "tls_not_valid_now":
        errand.m.facts.pop("days_left", None)
        errand.m.values.pop(LEFT, None)
        errand.m.unknown[LEFT] = "this computer's clock is wrong"
    return errand.fail(code, detail)


async def _clock(errand: Errand, stream: Stream, name: str) -> float | None:
    """The server's clock by the Date of its answer to HEAD; it goes to the step `clock` too. None: it has said none."""
    asked = time.time()
    try:
        async with asyncio.timeout(errand.left - MARGIN_S):
            stream.writer.write(request("HEAD / HTTP/1.1", f"Host: {name}", "Connection: close"))
            head = await read_head(lambda: stream.reader.read(HEAD_BYTES))
    except OSError:
        return None
    finally:
        stream.close()
    came = time.time()
    server = server_time(head.date, head.age) if head else None
    if server is not None:
        errand.found.skews["portal"] = (asked + came) / 2 - server
    return server
