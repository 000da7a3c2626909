"""portal: does the login page come, redirects included, and does each login service answer?"""

from __future__ import annotations

import asyncio

from probes import trust
from probes.join.dial import MARGIN_S, connect, secure
from probes.join.errand import Errand, NeedlessError
from probes.join.reach import DialError
from probes.join.walk import Walk, walk
from probes.profile import IdentityProvider
from probes.session import ProbeFailure
from processes.tasks import end

SECONDS = "portal_seconds"


async def step(errand: Errand) -> None:
    """The portal's page and every login service, all at once."""
    profile = errand.session.profile
    if profile.portal is None and not profile.identity_providers:
        raise NeedlessError
    _ = errand.link
    reached = [asyncio.create_task(_reached(errand, provider)) for provider in profile.identity_providers]
    try:
        walked = await walk(errand, profile.portal) if profile.portal is not None else Walk()
        answered = await asyncio.gather(*reached)
    finally:
        await end(*reached)
    missing = [p.name for p, came in zip(profile.identity_providers, answered, strict=True) if not came]
    missing += sorted(walked.broken - set(missing))
    _note(errand, walked, missing)
    if (failed := _failure(errand, walked, missing)) is not None:
        raise failed
    if missing:
        errand.remark("identity_provider_missing", ", ".join(missing))


async def _reached(errand: Errand, provider: IdentityProvider) -> bool:
    """Does its HTTPS port complete TCP and TLS? Nothing is asked of it."""
    until = errand.deadline - MARGIN_S
    try:
        sock = await connect(errand, provider.host, provider.port, until)
        (await secure(sock, trust.context(), provider.host, until)).close()
    except (DialError, OSError):
        return False
    return True


def _note(errand: Errand, walked: Walk, missing: list[str]) -> None:
    facts, providers = errand.m.facts, errand.session.profile.identity_providers
    if walked.status is not None:
        facts["status"] = walked.status
    if errand.session.profile.portal is not None:
        facts["redirects"] = walked.redirects
        if walked.seconds is not None:
            errand.m.values[SECONDS] = walked.seconds
        else:
            errand.m.unknown[SECONDS] = "the login page did not come"
    if providers:
        facts["identity_providers"] = f"{len(providers) - len(missing)} of {len(providers)}"


def _failure(errand: Errand, walked: Walk, missing: list[str]) -> ProbeFailure | None:
    if walked.failed is not None:
        return errand.fail(*walked.failed)
    providers = errand.session.profile.identity_providers
    if providers and len(missing) == len(providers):
        return errand.fail("identity_provider_unreachable", ", ".join(missing))
    return None
