"""What `check` was asked to do, validated: every mistake is a UsageError of one line."""

from __future__ import annotations

import difflib
import locale
import math
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from agent.profile import ProfileError, load_profile
from agent.settings import LANGUAGES, Settings
from media_check import CHECKS
from media_check.errand import Company
from probes import PROBES
from probes.profile import GENERIC, Profile
from probes.room import Room, RoomUrlError, parse_room
from reports.advice import Lang
from reports.policy import Policy, PolicyError, load_policy
from reports.record import Link

LEAST_SECONDS, MOST_SECONDS = 1.0, 3600.0
SECONDS, DEEP_SECONDS = 6.0, 30.0
METERED_BUDGET_MB, BUDGET_MB, DEEP_BUDGET_MB = 3.0, 50.0, 2000.0
EMBEDDED = "embedded"


class UsageError(ValueError):
    """The command line or settings ask for something impossible: exit code 2."""


@dataclass(frozen=True, slots=True)
class Options:
    """A self-test, ready to run.

    `room` is None for the embedded one. `links` empty: the link in use. `named`: the probes asked for by name.
    `together`: every probe in the same seconds, each within TOGETHER_S of agent/stages.py. `html`, `pdf`: where the
    receipt goes.
    """

    policy: Policy
    room: Room | None
    seconds: float
    language: Lang
    probes: tuple[str, ...]
    links: tuple[str, ...] = ()
    all_links: bool = False
    checks: tuple[str, ...] = ()
    company: Company | None = None
    quiet: bool = False
    budget_mb: float | None = None
    deep: bool = False
    named: tuple[str, ...] = ()
    isochronous_ms: float | None = None
    raw: Path | None = None
    html: Path | None = None
    pdf: Path | None = None
    profile: Profile = GENERIC
    together: bool = False

    @property
    def only_this_computer(self) -> bool:
        """The room is on this computer, so that nothing is learnt about the network."""
        return self.room is None or self.room.local


def room_of(url: str | None, settings: Settings) -> Room | None:
    """The room asked for, else the one in the settings, else None: the embedded one."""
    if url is None:
        url = settings.room.url
    if url is None or url == EMBEDDED:
        return None
    try:
        return parse_room(url, settings.room.token)
    except RoomUrlError as error:
        raise UsageError(str(error)) from None


def seconds_of(seconds: float | None, settings: Settings, *, deep: bool = False) -> float:
    """How long to send."""
    seconds = settings.check.seconds if seconds is None else seconds
    if seconds is None:
        seconds = DEEP_SECONDS if deep else SECONDS
    if not (math.isfinite(seconds) and LEAST_SECONDS <= seconds <= MOST_SECONDS):
        raise UsageError(f"--seconds must be between {LEAST_SECONDS:g} and {MOST_SECONDS:g}, not {seconds:g}")
    return seconds


def budget_of(megabytes: float | None, settings: Settings) -> float | None:
    """The data budget of each link; None: by kind of link."""
    megabytes = settings.check.budget_mb if megabytes is None else megabytes
    if megabytes is not None and not (math.isfinite(megabytes) and 0 <= megabytes <= 100_000):
        raise UsageError(f"--budget-mb must be between 0 and 100000, not {megabytes:g}")
    return megabytes


def interval_of(milliseconds: float | None) -> float | None:
    """The pace of isochronous packets."""
    if milliseconds is not None and not (math.isfinite(milliseconds) and 1 <= milliseconds <= 1000):
        raise UsageError(f"--isochronous-ms must be between 1 and 1000, not {milliseconds:g}")
    return milliseconds


def probes_of(only: Collection[str], skip: Collection[str], *, devices: bool = True) -> tuple[str, ...]:
    """The probes to run, those that run only when named among them if they are. Names may be separated by commas."""
    wanted, unwanted = named_of(only), _names("--skip", skip)
    chosen = tuple(
        name for name, entry in PROBES.items() if (name in wanted if wanted else entry.default) and name not in unwanted
    )
    if not chosen and not checks_of(only, skip, devices=devices):
        raise UsageError("--only, --skip and --no-devices together leave nothing to test")
    return chosen


def checks_of(only: Collection[str], skip: Collection[str], *, devices: bool = True) -> tuple[str, ...]:
    """The checks of devices and of this computer, in the same way."""
    wanted, unwanted = named_of(only), _names("--skip", skip)
    return tuple(name for name in CHECKS if devices and (name in wanted or not wanted) and name not in unwanted)


def company_of(*, alone: bool, several: bool) -> Company | None:
    """Who sits here; None: nobody said."""
    if alone and several:
        raise UsageError("--alone and --several contradict each other")
    return "alone" if alone else "several" if several else None


def named_of(only: Collection[str]) -> tuple[str, ...]:
    """The probes and checks that --only names."""
    return tuple(_names("--only", only))


def _names(option: str, lists: Collection[str]) -> list[str]:
    names = [name.strip() for given in lists for name in given.split(",") if name.strip()]
    for name in names:
        if name not in PROBES and name not in CHECKS:
            raise UsageError(f"{option}: there is no probe {name!r}; {_hint(name, [*PROBES, *CHECKS])}")
    return names


def language_of(language: str | None, settings: Settings) -> Lang:
    """Asked for, else set, else this computer's, else Swedish."""
    if language is None:
        language = settings.check.language
    if language is None:
        named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG")
        named = named or locale.getlocale()[0] or ""
        return "en" if named.lower().startswith("en") else "sv"
    for known in LANGUAGES:
        if language == known:
            return known
    raise UsageError(f"--lang must be sv or en, not {language!r}")


def policy_of(settings: Settings, path: Path | None) -> Policy:
    """The shipped policy under the huvudman's own."""
    override = path or (Path(settings.check.policy) if settings.check.policy else None)
    try:
        return load_policy(override)
    except PolicyError as error:
        raise UsageError(str(error)) from None


def profile_of(asked: str | None, settings: Settings) -> Profile:
    """The meeting service asked for by name or file, else the one in the settings, else none in particular."""
    try:
        return load_profile(settings.meeting.profile if asked is None else asked)
    except ProfileError as error:
        raise UsageError(str(error)) from None


def pick_links(options: Options, links: Collection[Link]) -> list[Link]:
    """The links to test. UsageError for a name that is not there."""
    by_name = {link.name: link for link in links}
    for name in options.links:
        if name not in by_name:
            raise UsageError(f"--link: there is no link {name!r}; {_hint(name, by_name)}")
    if options.links:
        return [by_name[name] for name in dict.fromkeys(options.links)]
    if options.all_links:
        return [link for link in links if link.tested_by_default]
    return [link for link in links if link.is_default][:1]


def budget_bytes(options: Options, link: Link | None) -> float:
    """How many bytes both ways together this test may move by this link."""
    if options.budget_mb is not None:
        return options.budget_mb * 1e6
    if frugal(options, link):
        return METERED_BUDGET_MB * 1e6
    return (DEEP_BUDGET_MB if options.deep else BUDGET_MB) * 1e6


def frugal(options: Options, link: Link | None) -> bool:
    """Does its traffic cost somebody money or their share, and did nobody allow more?"""
    costly = link is not None and (link.metered is True or link.kind in ("tethered", "mobile"))
    return costly and options.budget_mb is None


def _hint(name: str, known: Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]}?" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
