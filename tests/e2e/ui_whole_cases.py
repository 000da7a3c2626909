"""What may be the matter with a computer, and what its staff page must say of it, in both languages.

What a step says is looked for in all that its line says, folded or not. `mend`: what the person does then; `mended`:
the level when only what the action concerned has been tested again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from agent.ui.state import STEPS, StepName
from reports.record import Level
from tests.e2e.ui_whole import USED, Whole
from tests.netlab.service_faults import no_udp

Words = tuple[str, str]  # Swedish, English
HEADLINES: Mapping[str, Words] = {
    "ready": ("Klart", "Ready"),
    "degraded": ("Fungerar, men …", "Works, but …"),
    "not_ready": ("Ring support", "Call support"),
    "unknown": ("Kunde inte avgöras", "Could not tell"),
}
LEVELS: Mapping[str, Words] = {
    "ready": ("Bra", "Good"),
    "degraded": ("Sådär", "So-so"),
    "not_ready": ("Räcker inte", "Not enough"),
    "unknown": ("Vet inte", "Not known"),
}
GOOD: Mapping[StepName, Words] = {
    "speaker": ("Ljudet hörs.", "The sound is heard."),
    "microphone": ("Du hörs bra.", "You are heard well."),
    "picture": ("Bilden är bra.", "The picture is good."),
    "connection": ("Uppkopplingen håller för ett möte.", "The connection holds for a meeting."),
    "joining": ("Vägen in i mötet fungerar.", "The way into the meeting works."),
    "computer": ("Datorn och utrustningen är redo.", "The computer and the equipment are ready."),
}
ALL = ("heard", "speak", "own_voice", "picture")


@dataclass(frozen=True)
class Case:
    """`steps`: those that are not well, with the level and the words; None: well or not, by chance.

    `asked`: the questions that come, in order.
    """

    make: Callable[[Whole], None]
    level: Level
    action: Words
    steps: Mapping[StepName, tuple[Level, Words] | None] = field(default_factory=dict)
    asked: tuple[str, ...] = ALL
    listens: bool = True
    mend: Callable[[Whole], None] | None = None
    mended: Level = "ready"

    def says(self, step: StepName) -> tuple[Level, Words] | None:
        return self.steps[step] if step in self.steps else ("ready", GOOD[step])


def nothing(_: Whole) -> None:
    """All good."""


def weak_wifi(it: Whole) -> None:
    """What the radio would lose is lost between the laptop and the gateway."""
    it.kinds(**{USED: {"kind": "wifi", "wifi": {"signal_dbm": -83.0, "band": "2.4 GHz", "frequency_hz": 2.437e9}}})
    it.it.path.lose("first", "both", 0.02)


def good_wifi(it: Whole) -> None:
    """Nearer to its router."""
    it.it.path.heal()
    it.kinds(**{USED: {"kind": "wifi", "wifi": {"signal_dbm": -52.0, "band": "5 GHz", "frequency_hz": 5.18e9}}})


def shared_phone(it: Whole) -> None:
    it.lay_cable()
    it.kinds(**{USED: {"kind": "tethered"}})


NOT_CONNECTED = ("Datorn är inte ansluten till något nätverk.", "The computer is not connected to any network.")
FULL = ("testrummet är fullt just nu", "the test room is full just now")
MUTED = ("Mikrofonen är avstängd.", "The microphone is muted.")
CASES: Mapping[str, Case] = {
    "all_good": Case(nothing, "ready", ("Allt är klart. Gå in i mötet.", "All is ready. Join the meeting.")),
    "no_network": Case(
        Whole.unplug, "not_ready",
        ("Sätt i nätverkskabeln eller anslut till ett wifi.", "Plug in the network cable or join a wifi."),
        {"connection": ("not_ready", NOT_CONNECTED), "joining": ("unknown", NOT_CONNECTED)},
        mend=Whole.plug_in,
    ),
    "weak_wifi": Case(
        weak_wifi, "degraded",
        ("Använd nätverkskabel om det går. Annars: sätt dig närmare", "Use a network cable if you can. Otherwise move"),
        {"connection": ("degraded", ("trådlöst nät, svag signal", "wifi, weak signal")), "joining": None},
        mend=good_wifi,
    ),
    "shared_phone": Case(
        shared_phone, "degraded",
        ("En nätverkskabel är ansluten men används inte.", "A network cable is connected but not in use."),
        {"connection": ("degraded", ("Du delar en mobils uppkoppling.", "You are sharing a phone's connection."))},
        mend=Whole.use_cable,
    ),
    "no_camera": Case(
        lambda it: it.camera.vanishes(), "degraded", ("Koppla in en kamera.", "Plug in a camera."),
        {"picture": ("degraded", ("Datorn har ingen kamera.", "This computer has no camera."))},
        ("heard", "speak", "own_voice"), mend=lambda it: it.camera.shows(),
    ),
    "muted_microphone": Case(
        lambda it: it.sound.pulse.mute("worn"), "not_ready",
        ("Slå på mikrofonen på headsetet", "Switch the microphone on at the headset"),
        {"microphone": ("not_ready", MUTED)}, listens=False,
        mend=lambda it: it.sound.pulse.mute("worn", muted=False),
    ),
    "udp_blocked": Case(
        lambda it: no_udp(it.it), "degraded",
        ("Du kan vara med i mötet. Anmäl felet till", "You can join the meeting. Report the fault to"),
        {
            "connection": ("unknown", ("testtrafiken (UDP) får inget svar", "the test traffic (UDP) gets no reply")),
            "joining": ("degraded", ("Ljud och bild går en omväg", "Sound and picture take a detour")),
        },
        mend=lambda it: it.it.heal(),
    ),
    "busy_room": Case(
        Whole.fill_room, "unknown", ("Vänta några minuter och testa igen.", "Wait a few minutes and test again."),
        {"connection": ("unknown", FULL), "joining": ("unknown", FULL)}, mend=Whole.leave_room,
    ),
}  # fmt: skip
assert all(step in STEPS for case in CASES.values() for step in case.steps)
