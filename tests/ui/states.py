"""What the staff page may have to show: a state for each step, question, answer and trouble, as real runs give them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from agent.ui.state import (
    ANSWERS,
    STEPS,
    Answer,
    Contact,
    Course,
    DeviceChoice,
    Line,
    LinkShown,
    Point,
    Question,
    QuestionKind,
    Result,
    Said,
    State,
    Step,
    StepName,
    Value,
)
from reports.record import Level

PORTAL = "https://meeting.example/login"
SECONDS = (4.0, 9.0, 6.0, 14.0, 8.0, 4.0)


def both(sv: str, en: str) -> Said:
    return {"sv": sv, "en": en}


def result(level: Level | None, sv: str, en: str) -> Result:
    return Result(level, both(sv, en))


TONE = result("ready", "Tonen hördes.", "The tone was heard.")
VOICE = result("ready", "Din röst hörs tydligt.", "Your voice is heard clearly.")
PICTURE = result("ready", "Du syns bra.", "You can be seen well.")
BACKLIT = result(
    "degraded",
    "Ljuset är bakom dig: vänd dig så att det kommer framifrån.",
    "The light is behind you: turn so that it comes from the front.",
)
DARK = result("degraded", "Bilden är mörk: tänd mer ljus framför dig.", "The picture is dark: get more light in front.")
NO_CAMERA = result(
    "degraded",
    "Ingen kamera hittades. Koppla in en kamera. Utan den hörs du, men syns inte.",
    "No camera was found. Connect a camera. Without one you are heard but not seen.",
)
WIFI = result(None, "Du använder trådlöst nät.", "You are using wifi.")
LOSS = result(
    "not_ready",
    "De andra hör dig i bitar och ser bilden frysa. Använd nätverkskabel om det går.",
    "The others hear you in pieces and see your picture freeze. Use a network cable if you can.",
)
FAST = result("ready", "Ljud och bild kommer fram utan avbrott.", "Sound and picture get through without breaks.")
PORTAL_UP = result("ready", "Inloggningssidan svarar.", "The login page answers.")
CARD = result(
    "degraded",
    "Kortläsaren har inget kort. Sätt i SITHS-kortet, eller logga in med BankID.",
    "The card reader holds no card. Insert the SITHS card, or log in with BankID.",
)
BATTERY = result("degraded", "Batteriet är nästan slut. Sätt i laddaren.", "The battery is nearly empty. Plug it in.")

DEVICES = (
    DeviceChoice(1, "speaker", "Högtalare (Realtek High Definition Audio)", "built_in", chosen=True),
    DeviceChoice(2, "speaker", "Jabra Evolve2 30", "headset", chosen=False, suggested=True),
    DeviceChoice(3, "speaker", "DELL U2419H", "virtual", chosen=False),
    DeviceChoice(4, "microphone", "Mikrofonuppsättning", "built_in", chosen=True),
    DeviceChoice(5, "microphone", "Jabra Evolve2 30", "headset", chosen=False, suggested=True),
    DeviceChoice(6, "microphone", "Annas AirPods", "bluetooth", chosen=False),
    DeviceChoice(7, "microphone", "USB PnP", "usb", chosen=False),
    DeviceChoice(8, "microphone", "Stereo Mix", "virtual", chosen=False),
    DeviceChoice(9, "camera", "Integrated Webcam", "built_in", chosen=True),
    DeviceChoice(10, "camera", "Logitech C920", "usb", chosen=False),
)
WIFI_LINK = LinkShown(
    "wifi", True, True, False, both("trådlöst nät, svag signal", "wifi, weak signal")
)  # fmt: skip
CABLE_LINK = LinkShown(
    "wired", False, False, True,
    both("nätverkskabel, ansluten men används inte", "network cable, connected but not used"),
)  # fmt: skip
PHONE_LINK = LinkShown("tethered", True, True, False, both("delad mobil", "a shared phone"))


# ---- before and during


def begun(at: int, **changes: Any) -> State:
    """A run whose step of that number goes on; those before it went well."""
    good = (TONE, VOICE, PICTURE, FAST, PORTAL_UP)
    steps = [Step(name, seconds) for name, seconds in zip(STEPS, SECONDS, strict=True)]
    for step, found in zip(steps[:at], good, strict=False):
        step.doing, step.level, step.results = "done", "ready", (found,)
    steps[at].doing = "running"
    state = State("sv", title="Videomöten, Region Exempel", portal=PORTAL, room="configured", phase="running")
    state.company, state.steps, state.devices, state.links = "alone", tuple(steps), DEVICES, (WIFI_LINK,)
    for name, value in changes.items():
        setattr(state, name, value)
    return state


def doing(name: StepName, what: str, fraction: float | None = None, *found: Result, **changes: Any) -> State:
    state = begun(STEPS.index(name), **changes)
    step = state.step(name)
    step.what, step.fraction, step.results = what, fraction, found
    return state


def asking(name: StepName, kind: QuestionKind, *found: Result, number: int = 1, **changes: Any) -> State:
    state = doing(name, "", None, *found, **changes)
    state.step(name).doing = "asking"
    state.question = Question(number, name, kind, ANSWERS[kind])
    return state


def mixed() -> State:
    """The speaker was skipped, the microphone is bad, there is no camera, and a better link is there."""
    state = doing("connection", "measuring", 0.4, WIFI, links=(PHONE_LINK, CABLE_LINK))
    speaker, microphone, picture = state.steps[:3]
    speaker.doing, speaker.level, speaker.results = "skipped", None, ()
    microphone.level, microphone.results = "not_ready", (LOSS, TONE)
    picture.level, picture.results = "degraded", (NO_CAMERA,)
    return state


# ---- after


def points(seconds: float, middle: float, loss: Callable[[int], float]) -> tuple[Point, ...]:
    made = []
    for n in range(int(seconds * 2)):
        lost = loss(n)
        rtt = None if lost == 1 else middle * (1 + 0.3 * math.sin(n * 1.7) + (0.8 if n % 9 == 4 else 0))
        made.append(Point(n / 2, rtt, lost))
    return tuple(made)


COURSES = (
    Course(
        "wifi", both("trådlöst nät", "wifi"), points(14, 0.062, lambda n: (0, 0, 0.12, 0, 1)[n % 5] if n > 9 else 0)
    ),
    Course("wired", both("nätverkskabel", "network cable"), points(14, 0.011, lambda n: 0)),
)
LINES = (
    Line(
        "not_ready",
        both("Förlorade paket till mötet (wifi)", "Lost packets to the meeting (wifi)"),
        both("4,2 %", "4.2%"),
        both("högst 3 %", "at most 3%"),
        both("De andra hör dig i bitar och ser bilden frysa.", "The others hear you in pieces."),
        both("Cisco CVD: 1 %; Google Meet: 3 %; eget", "Cisco CVD: 1 %; Google Meet: 3 %; own"),
        both("wifi: −79 dBm, 31 % omsändningar", "wifi: −79 dBm, 31% sent again"),
    ),
    Line(
        "ready",
        both("Svarstid", "Round-trip time"),
        both("38 ms", "38 ms"),
        both("under 100 ms", "under 100 ms"),
        both("Bra", "Good"),
        both(*["Microsoft Teams network targets; ITU-T G.114"] * 2),
        both("", ""),
    ),
    Line(
        "unknown",
        both("Kortläsare", "Card reader"),
        both("", ""),
        both("", ""),
        both("Kunde inte mätas.", "Could not be measured."),
        both("", ""),
        both("", ""),
    ),
)
VALUES = (
    Value(
        both("Svarstid, vanligen", "Round-trip time, usually"), both("36 ms", "36 ms"), "RFC 2681", "rtt_p50_seconds"
    ),
    Value(both("Skickades", "Sent"), both("6,1 Mbit/s", "6.1 Mbit/s"), "ndt7", "throughput_up_bytes_per_second"),
)
CONTACTS = (
    Contact("municipal_it", both("Kommunens IT-support", "The municipality's IT support"), "010-123 45 67", ""),
    Contact(
        "region_it",
        both("Regionens IT-support, när den egna har uteslutit fel hos sig", "The Region's IT support, after your own"),
        "",
        "https://support.example/",
    ),
)
READY = Answer(
    "ready", both("Klart", "Ready"), both("Du syns och hörs bra.", "You are seen and heard well."),
    both("Allt är klart. Gå in i mötet.", "All is ready. Go to the meeting."), "MK-7Q4T-9XKD",
    portal=PORTAL, contacts=CONTACTS, lines=LINES[1:2], courses=COURSES[1:],
)  # fmt: skip
DEGRADED = replace(
    READY, level="degraded", headline=both("Fungerar, men …", "Works, but …"),
    means=both("Bilden kan frysa ibland.", "The picture may freeze at times."),
    action=both(
        "En nätverkskabel är ansluten men används inte. Stäng av wifi, så används kabeln.",
        "A network cable is connected but not used. Switch off wifi, and the cable is used.",
    ),
    redo=("connection", "joining"), lines=LINES, values=VALUES, courses=COURSES,
)  # fmt: skip
NOT_READY = replace(
    DEGRADED, level="not_ready", headline=both("Ring support", "Call support"),
    means=both("Ljud och bild kommer inte fram.", "Sound and picture do not get through."),
    action=both(
        "Ring kommunens IT-support. Kan det inte lösas: ring in till mötet med telefon.",
        "Call the municipality's IT support. If it cannot be mended: dial in to the meeting.",
    ),
    redo=("joining",), sound_only=True,
    dial_in=both(
        "Går det inte i webbläsaren: ring in. Numret och möteskoden står i inbjudan.",
        "If the browser fails: dial in. The number and the meeting code are in the invitation.",
    ),
)  # fmt: skip
UNKNOWN = replace(
    READY, level="unknown", headline=both("Kunde inte avgöras", "Could not tell"),
    means=both("Nätverket testades inte.", "The network was not tested."),
    action=both("Be IT-supporten ställa in ett testrum.", "Ask IT support to set up a test room."),
    redo=(), portal=None, contacts=CONTACTS[1:], courses=(),
    untested=(
        both(
            "Nätverket: inget testrum är inställt. IT slår på det med inställningen room.url.",
            "The network: no test room is configured. IT switches it on with the setting room.url.",
        ),
        both("Mötets inloggningssida: ingen profil är vald.", "The meeting's login page: no profile is chosen."),
    ),
)  # fmt: skip


def answered(answer: Answer, **changes: Any) -> State:
    """The end of a run."""
    state = begun(5, phase="done", answer=answer, **changes)
    last = state.steps[5]
    last.doing, last.level, last.results = "done", "degraded", (BATTERY, CARD)
    return state


def first(**changes: Any) -> State:
    return replace(State("sv", title="Videomöten, Region Exempel", portal=PORTAL, room="configured"), **changes)


def table() -> dict[str, State]:
    """All of them by name, new each time: a state is changed in place."""
    return {
        "start": first(),
        "start_bare": State("sv"),
        "looking": doing("speaker", "looking", None, devices=()),
        "tone": doing("speaker", "playing", 0.5),
        "heard": asking("speaker", "heard"),
        "speak": asking("microphone", "speak"),
        "speak_now": doing("microphone", "speak_now", 0.3),
        "own_voice": asking("microphone", "own_voice", VOICE),
        "playing_back": doing("microphone", "playing_back"),
        "camera_opening": doing("picture", "opening", 0.0),
        "picture_good": asking("picture", "picture", PICTURE),
        "picture_hint": asking("picture", "picture", BACKLIT, DARK),
        "connection": doing("connection", "measuring", 0.4, WIFI),
        "connection_better": mixed(),
        "connection_bad": doing("connection", "capacity", 0.9, LOSS, FAST),
        "joining": doing("joining", "call", 0.5, PORTAL_UP, CARD),
        "computer": doing("computer", "encoding", 0.5),
        "comparing": doing("connection", "measuring", 0.2, links=(WIFI_LINK, CABLE_LINK), comparing=True),
        "ready": answered(READY),
        "degraded": answered(DEGRADED, links=(WIFI_LINK, CABLE_LINK)),
        "not_ready": answered(NOT_READY),
        "unknown": answered(UNKNOWN, portal=None, links=(), room="embedded"),
        "stopped": first(trouble="stopped"),
        "busy": first(trouble="busy"),
        "broken": first(trouble="broken"),
        "broken_after": answered(DEGRADED, trouble="broken"),
    }
