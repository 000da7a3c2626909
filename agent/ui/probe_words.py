"""What probes, checks and the policy wrote in English, in the reader's language.

What they write again and again is in the catalogue: `source.` (where a limit comes from), `reason.` (why there is no
value) and `clue.` (why a link is of its kind). The English there is theirs letter for letter, and by it the other
language is found. What is not there stays as it was written: an organisation's own policy, a system's own error.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from reports.advice import Lang, catalogue, ids, text

_AGAINST = "against it: "  # probes/links: a clue that speaks for another kind
_UNIT = re.compile(r"(?<=\d) (?=%|[kM]bit/s|dBm|ms|MB|s\b|minut)")
_STANDS_ON = re.compile(r"it is a (\w+) that stands on (.+)")


def source_text(source: str, lang: Lang) -> str:
    """Documents keep their names, and numbers their units beside them."""
    parts = (source,) if source in _known("source") else source.split("; ")
    return _UNIT.sub("\u00a0", "; ".join(in_language("source", part, lang) for part in parts))


def reason_text(reason: str, lang: Lang) -> str:
    """Why something could not be told."""
    return in_language("reason", reason, lang)


def clue_text(clue: str, lang: Lang) -> str:
    """Why a link is taken for what it is."""
    if clue.startswith(_AGAINST):
        return text("ui.against", lang, clue=clue_text(clue.removeprefix(_AGAINST), lang))
    if found := _STANDS_ON.fullmatch(clue):
        return text("ui.stands_on", lang, what=found[1], link=found[2])
    return in_language("clue", clue, lang)


def in_language(head: str, words: str, lang: Lang) -> str:
    """The same words; as they are where the catalogue does not have them under this head."""
    msgid = _known(head).get(words)
    return text(msgid, lang) if msgid else words


@cache
def _known(head: str) -> Mapping[str, str]:
    return {catalogue("en")[f"{head}.{key}"]: f"{head}.{key}" for key in ids(head)}
