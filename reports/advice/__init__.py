"""What to say about a finding and what to do about it, in Swedish and English (gettext, domain `motesklar`).

Message ids are stable keys. Advice and actions are bare words ("use_cable"); all other ids stand under a head and a
dot: `means.` (consequence), `failure.`, `fault.` (where it is), `remark.` (more evidence of it), `headline.`,
`level.`, `owner.`, `kind.`, `program.`, `probe.`, `value.`, `word.`, `unit.`, `finding.`, `progress.`, `links.`,
`devices.`, `table.`, `join.`, `step.`, `notice.`, `readiness.`, `receipt.`, `ui.` (a guided self-test, wherever it is
shown), `guided.` (the terminal's own words for it), and `source.`, `reason.` and `clue.` (what the policy, probes and
the links' clues say of themselves, found by their English: agent/ui/probe_words.py). The .po files are the source;
`scripts/messages` compiles them.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

Lang = Literal["sv", "en"]
LANGUAGES: tuple[Lang, ...] = ("sv", "en")
DOMAIN = "motesklar"
LOCALE = Path(__file__).with_name("locale")


@cache
def catalogue(lang: Lang) -> Mapping[str, str]:
    """Every message of one language by its id."""
    import gettext

    with (LOCALE / lang / "LC_MESSAGES" / f"{DOMAIN}.mo").open("rb") as mo:
        messages = gettext.GNUTranslations(mo)
    known: Mapping[str, str] = messages._catalog  # type: ignore[attr-defined]  # gettext offers no listing
    return {msgid: sentence for msgid, sentence in known.items() if msgid}


@cache
def ids(head: str = "") -> frozenset[str]:
    """The ids under a head, without it; with no head, those of advice and actions."""
    if not head:
        return frozenset(msgid for msgid in catalogue("en") if "." not in msgid)
    return frozenset(msgid.removeprefix(f"{head}.") for msgid in catalogue("en") if msgid.startswith(f"{head}."))


def text(msgid: str, lang: Lang, /, **params: str | float) -> str:
    """The sentence with its parameters. An id that is not there (a newer program's record) is given back as it is."""
    sentence = catalogue(lang).get(msgid)
    return msgid if sentence is None else sentence.format_map(_Lenient(params))


class _Lenient(dict[str, "str | float"]):
    def __missing__(self, key: str) -> str:
        return "…"
