"""What was not tested, in a sentence each, and how IT turns it on where nothing but a setting is missing."""

from __future__ import annotations

from collections.abc import Iterator

from agent.options import Options
from agent.ui.state import Said, said
from reports.advice import LANGUAGES, text
from reports.policy import Policy
from reports.record import Measurement, SelfTest

DEVICES = ("speaker", "microphone", "camera", "computer")
NETWORK = ("echo", "call")  # what must have been seen of it, for it to count as tested
NO_SOUND = "sound_system_missing"
SENTENCES = {"camera": "picture", "echo": "connection", "join": "joining"}  # of the others: their own name


def untested(self_test: SelfTest, options: Options) -> tuple[Said, ...]:
    """In the order of the steps, what IT has to turn on last."""
    within = self_test.room != "configured"
    sentences = [s for name in DEVICES for s in _of_check(name, self_test, options.policy)]
    sentences += [] if within else [s for name in NETWORK for s in _of_network(name, self_test, options.policy)]
    sentences += [said(text, "ui.untested_room")] if within else []
    if not options.profile.names_service:
        sentences.append(said(text, "ui.untested_service"))
    else:
        sentences += _of_network("join", self_test, options.policy)
    sentences += _card(self_test, options)
    return tuple(each for i, each in enumerate(sentences) if each not in sentences[:i])


def _of_check(name: str, self_test: SelfTest, policy: Policy) -> Iterator[Said]:
    """A device that was not tried, or not as far as it takes to know."""
    m = _find(name, self_test)
    if m is None or _unanswered(m, policy):
        yield _because(name, m)
    elif m.failure is None and name == "microphone" and m.facts.get("microphone_sound") in (None, "not_spoken"):
        yield said(text, "ui.untested_voice")
    elif m.failure is None and name == "speaker" and m.facts.get("speaker_sound") in (None, "not_played", "played"):
        yield said(text, "ui.untested_tone")


def _of_network(name: str, self_test: SelfTest, policy: Policy) -> Iterator[Said]:
    m = _find(name, self_test)
    if m is None or _unanswered(m, policy):
        yield _because(name, m)


def _card(self_test: SelfTest, options: Options) -> Iterator[Said]:
    """The computer was looked at, but not for a card: not where nobody logs in by one, and that is not known here."""
    m = _find("computer", self_test)
    if m is None or m.failure is not None:
        return
    if m.facts.get("card_reader") == "unknown":
        yield said(text, "ui.untested_card")
    elif "card_reader" not in m.facts and options.profile.names_service:
        yield said(text, "ui.untested_card_not_asked")


def _find(name: str, self_test: SelfTest) -> Measurement | None:
    """The best of its measurements: one link's may have failed while another's did not."""
    mine = [m for m in self_test.measurements if m.name == name]
    return min(mine, key=lambda m: m.failure is not None, default=None)


def _unanswered(m: Measurement, policy: Policy) -> bool:
    """The test failed, which is not to say that what it looks at is bad."""
    return m.failure is not None and policy.failure(m.failure.code).level == "unknown" and not m.values


def _because(name: str, m: Measurement | None) -> Said:
    """The sentence, and why, when the probe or check said so; the same of all sound when there is none."""
    if m is not None and m.failure is not None and m.failure.code == NO_SOUND:
        return said(text, f"failure.{NO_SOUND}")
    ids = [f"ui.untested_{SENTENCES.get(name, name)}"]
    ids += [f"failure.{m.failure.code}"] if m is not None and m.failure is not None else []
    return {lang: " ".join(text(msgid, lang) for msgid in ids) for lang in LANGUAGES}
