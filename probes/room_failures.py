"""Why a room gave nothing: the answer by which it refuses, or the error on the way to it, as a failure's code."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING

from probes import trust
from probes.links.binding import BindingError
from probes.session import ProbeFailure

if TYPE_CHECKING:
    from aiohttp import ClientResponse

BY_STATUS = {401: "room_token_refused", 403: "room_token_refused", 429: "room_too_many_requests", 503: "room_busy"}
OF_A_TEST = BY_STATUS | {404: "room_test_not_offered"}  # where a session is asked for more than STAMP


def by_status(status: int, retry_after_s: float | None, codes: Mapping[int, str] = BY_STATUS) -> ProbeFailure:
    """What an HTTP status means that is not the wanted one. `retry_after_s`: when a busy room may be asked again."""
    code = codes.get(status, "room_protocol")
    if code == "room_busy" and retry_after_s is not None and retry_after_s > 0:
        return ProbeFailure(code, f"try again in {retry_after_s:.0f} s")
    return ProbeFailure(code, f"status {status}")


async def refusal(answer: ClientResponse, codes: Mapping[int, str] = BY_STATUS) -> ProbeFailure:
    """Why the room's answer is not the wanted one, with what its JSON may say of when to ask again."""
    retry_after_s: float | None = None
    with contextlib.suppress(Exception):
        retry_after_s = float((await answer.json())["retry_after_seconds"])
    return by_status(answer.status, retry_after_s, codes)


def by_error(error: Exception) -> ProbeFailure:
    """What went wrong on the way to the room, by aiohttp. The detail holds no address."""
    import aiohttp

    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return ProbeFailure(trust.failure_code(error.certificate_error))
    for kind, code in (
        (aiohttp.ServerFingerprintMismatch, "room_certificate_mismatch"),
        (aiohttp.ClientConnectorDNSError, "room_name_unknown"),
        (aiohttp.InvalidURL, "room_name_unknown"),
        (aiohttp.ClientSSLError, "room_protocol"),
        (TimeoutError, "room_unreachable"),
    ):
        if isinstance(error, kind):
            return ProbeFailure(code)
    if isinstance(error, OSError):
        cause = getattr(error, "os_error", error)
        if isinstance(cause, BindingError):
            return ProbeFailure("link_not_bound")
        refused = isinstance(cause, ConnectionRefusedError)
        return ProbeFailure("room_refused_connection" if refused else "room_unreachable")
    return ProbeFailure("room_protocol", type(error).__name__)
