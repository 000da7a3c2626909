"""Words in product names that tell a device's form: data.

Source: own. These are names as they are commonly known; no maker's list was gone through, so that newer and rarer ones
are not among them. A name is one clue among several, and a device without one is not called anything for that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from reports.record import Form


@dataclass(frozen=True, slots=True)
class Name:
    """A product name that `pattern` finds is of this form, with this weight (see forms.Vote)."""

    form: Form
    weight: float
    words: str
    pattern: re.Pattern[str]


def _any(*words: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-zåäö])(?:{'|'.join(words)})(?![a-zåäö])", re.IGNORECASE)


CONFERENCE_PRODUCTS = _any(
    r"jabra speak2?", r"panacast", r"poly(?:com)? ?sync", r"(?:poly(?:com)?|plantronics) studio", r"calisto",
    r"polycom trio", r"cx5100", r"powerconf", r"emeet", r"meetup", r"logitech (?:rally|group|connect)",
    r"rally (?:bar|camera)",
    r"bcc950", r"conferencecam", r"p710e", r"konftel", r"epos expand", r"expand (?:sp|capture|vision)\S*",
    r"sennheiser sp ?\d+\S*", r"meeting ?owl", r"yealink (?:cp|mvc|uvc|sp)\S*", r"meetingbar", r"yvc-?\d+\S*",
    r"chat ?(?:50|150|170)", r"thinksmart", r"huddle\S*", r"quattro\d*", r"tenveo", r"maxhub",
)  # fmt: skip
HEADSET_PRODUCTS = _any(
    r"evolve2?", r"jabra (?:engage|biz|elite|perform)", r"blackwire", r"voyager(?: focus| legend)?", r"encorepro",
    r"savi", r"entera", r"(?:sennheiser|epos) (?:sc|adapt|impact|mb|d)\S*", r"impact (?:sc|d|mb)\S*",
    r"(?:logitech|logi) (?:usb )?h ?\d{3}\S*", r"zone (?:wired|wireless|vibe|300|305|950)", r"lifechat",
    r"airpods(?: pro| max)?", r"(?:galaxy|pixel) buds\S*", r"wh-\S+", r"wf-\S+", r"quietcomfort", r"arctis",
    r"yealink (?:uh|wh|bh)\S*",
)  # fmt: skip
NAMES: tuple[Name, ...] = (
    Name("conference", 3.5, "its product name is a conference unit's", CONFERENCE_PRODUCTS),
    Name(
        "conference", 3.0, "its name says that it is for conferences",
        _any("speaker ?phone", "conference", "konferens", "conferencing", "högtalartelefon", "meeting"),
    ),
    Name("headset", 3.0, "its product name is a headset's", HEADSET_PRODUCTS),
    Name(
        "headset", 3.0, "its name says that it is worn on the head",
        _any("head-?sets?", "head-?phones?", "ear-?phones?", "ear-?buds?", "earpods", "hörlurar", "hands-?free"),
    ),
    Name(
        "virtual", 3.5, "its name is that of a program",
        _any(
            "virtual", "virtuell", "obs", "droidcam", "snap camera", "vb-audio", "vb-cable", "blackhole", "manycam",
            "xsplit", "krisp", "nvidia broadcast", "mmhmm", "soundflower", "loopback", "voicemeeter", "epoccam",
        ),
    ),
    Name(
        "built_in", 2.0, "its name says that it is inside the computer",
        _any("integrated", "integrerad", "built-?in", "inbyggda?", "internal", "facetime", "easycamera", "macbook",
            "imac"),
    ),
)  # fmt: skip
