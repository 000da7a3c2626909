"""The links as a person is told of them: which is in use, whether its signal is weak, and a better one that is there.

It needs nothing measured: what the system says of its links is enough for the first result, within seconds.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from agent.ui.state import LinkShown, Said, said
from reports.action import better_link
from reports.advice import LANGUAGES, Lang, text
from reports.compare import KIND_ORDER
from reports.findings import Subjects, effective
from reports.policy import Policy, load_policy
from reports.record import Finding, Level, Link, Verdict

SIGNAL = "wifi_signal_dbm"
BY_LINK = ("use_cable", "use_link")  # actions that name a better link


def links_shown(
    links: Sequence[Link],
    chosen: Collection[str],
    findings: Sequence[Finding] = (),
    policy: Policy | None = None,
    *,
    verdict: Verdict | None = None,
) -> tuple[LinkShown, ...]:
    """Those that a meeting could use, the one in use first.

    `chosen`: names of the links that are tested. `findings`: what is known of them by now. `verdict`, once there is
    one, says which link is better; before, the routine's order of kinds does. `policy`: None is the shipped one.
    """
    shown = [link for link in links if link.tested_by_default or link.is_default or link.name in chosen]
    words = words_of(shown, findings, policy, every=links)
    used = used_of(links, chosen)
    better = _named(shown, verdict) if verdict is not None else _better(links, used, findings)
    if better is not None and used is not None:
        words |= {better.name: _why(better, used, words[better.name], links, verdict)}
    made = [
        LinkShown(link.kind, link.is_default, link.name in chosen, link is better, words[link.name]) for link in shown
    ]
    return tuple(sorted(made, key=_order))


def used_of(links: Sequence[Link], chosen: Collection[str]) -> Link | None:
    """The link that the verdict is about: of those tested the one in use, else the first; before that, the default."""
    mine = [link for link in links if link.name in chosen] or [link for link in links if link.is_default]
    return next((link for link in mine if link.is_default), next(iter(mine), None))


def words_of(
    shown: Sequence[Link],
    findings: Sequence[Finding] = (),
    policy: Policy | None = None,
    *,
    every: Sequence[Link] = (),
) -> dict[str, Said]:
    """What to call each of these links, by its name; numbered where two would be called the same."""
    subjects = Subjects({link.name: link for link in (*every, *shown)}, None, embedded=False)
    weak = {f.subject for f in findings if f.rule == "wifi_signal" and f.level in ("degraded", "not_ready")}
    weak |= {link.name for link in shown if _weak(link, findings, policy or load_policy())}
    made = {link.name: said(link_words, link, subjects, weak=link.name in weak) for link in shown}
    return {name: _numbered(name, made) for name in made}


def link_words(link: Link, subjects: Subjects, lang: Lang, *, weak: bool = False) -> str:
    """One link in words, such as "trådlöst nät, svag signal"."""
    kind = subjects.kind(link.name) or link.kind
    words = text(f"ui.link_{kind}", lang)
    if link.kind == "vpn" and kind != "vpn":
        words = text("ui.link_by_vpn", lang, link=words)
    if link.carrier is False:
        return text("ui.link_unplugged", lang, link=words)
    if not link.addresses:
        return text("ui.link_no_address", lang, link=words)
    return text("ui.link_weak", lang, link=words) if weak else words


def _weak(link: Link, findings: Sequence[Finding], policy: Policy) -> bool:
    """By what the radio said when the links were listed, until it has been watched for a while."""
    watched = any(f.rule == "wifi_signal" and f.subject == link.name and f.level != "unknown" for f in findings)
    signal = link.wifi.signal_dbm if link.wifi is not None else None
    row = policy.rows.get("wifi_signal")
    if watched or signal is None or row is None or row.value != SIGNAL:
        return False
    return row.level(signal) in ("degraded", "not_ready")


def _numbered(name: str, made: Mapping[str, Said]) -> Said:
    same = [other for other in made if made[other] == made[name]]
    if len(same) == 1:
        return made[name]
    return {lang: f"{made[name][lang]} {same.index(name) + 1}" for lang in LANGUAGES}


def _named(shown: Sequence[Link], verdict: Verdict) -> Link | None:
    """The link that the one next action names: nothing on the page shall contradict it."""
    name = verdict.action_params.get("link") if verdict.action in BY_LINK else None
    return next((link for link in shown if link.name == name), None)


def _better(links: Sequence[Link], used: Link | None, findings: Sequence[Finding]) -> Link | None:
    if used is None:
        return None
    subjects = Subjects({link.name: link for link in links}, used.name, embedded=False)
    return better_link(subjects, findings, _level(findings, used), None)


def _level(findings: Sequence[Finding], used: Link) -> Level:
    """While nothing is known of the link in use, every better kind is worth naming: "degraded"."""
    mine = [effective(f) for f in findings if f.subject == used.name]
    return "ready" if mine and all(level == "ready" for level in mine) else "degraded"


def _why(better: Link, used: Link, words: Said, links: Sequence[Link], verdict: Verdict | None) -> Said:
    """The better link, and why: it was measured to be, or its kind is steadier."""
    subjects = Subjects({link.name: link for link in links}, used.name, embedded=False)
    kinds = [subjects.kind(link.name) or link.kind for link in (better, used)]
    measured = verdict is not None and KIND_ORDER.index(kinds[0]) >= KIND_ORDER.index(kinds[1])
    key = "ui.link_best_measured" if measured else "ui.link_steadier"
    return {lang: text(key, lang, link=words[lang], used=text(f"kind.{kinds[1]}", lang)) for lang in LANGUAGES}


def _order(shown: LinkShown) -> tuple[bool, bool, int]:
    return (not shown.in_use, not shown.better, KIND_ORDER.index(shown.kind))
