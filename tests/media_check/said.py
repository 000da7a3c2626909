"""What may be said by a process that captures, and what in a text is media in disguise: pure rules over bytes."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

from reports.vocabulary import QUANTITIES

WAKES = 8  # bytes: an eventfd's count, or the one that wakes a sleeping thread
NUMBER, BETWEEN = r"-?\d[\d.]*(?:e[+-]?\d+)?", r"[\s,;:|\[\]()]+"
NUMBERS = re.compile(f"(?:{NUMBER}{BETWEEN}){{7}}{NUMBER}")  # eight in a row are samples
LIST = re.compile(f"(?:{NUMBER}{BETWEEN}){{2}}{NUMBER}")  # of who captures, three
UNREADABLE = re.compile(r"[A-Za-z0-9+/=_-]{49,}")  # no word: base64, hexadecimal
JPEG_BEGINS, JPEG_ENDS, PICTURE_MOST = b"\xff\xd8\xff", b"\xff\xd9", 640  # pixels
LINE_MOST, TEXT_MOST, DEEP_MOST = 1000, 120, 3
LINE_KEYS = {
    "stage", "values", "unknown", "facts", "frames", "failed", "detail", "last",  # the camera's
    "handle", "level", "silent", "heard", "faults",  # the microphone's
    "playing", "deaf", "delay", "loss", "muted",  # the speaker's
    "kept", "played", "number",  # the voice's
    "judged",  # the viewing's
}  # fmt: skip
FACT_KEYS = {
    "mode",
    "modes",
    "shutter",
    "face",
    "camera_picture",
    "exact_zeros",
    "speech_heard",
    "rate_hertz",
    "held_by",
}
KEYS = LINE_KEYS | FACT_KEYS | QUANTITIES.keys()


def text_trouble(data: bytes, *, captures: bool = False) -> str | None:
    """Text, as people read it, is none; samples written as text are. `captures`: it is of one that has samples."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "no text"
    if (LIST if captures else NUMBERS).search(text):
        return "a row of numbers"
    return "text that nobody can read" if UNREADABLE.search(text) else None


def picture_trouble(code: bytes) -> str | None:
    """In base64: one JPEG as small as a person needs to see what the camera sees, and nothing behind it."""
    import cv2
    import numpy as np

    data = base64.b64decode(code, validate=True)
    frame = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data.startswith(JPEG_BEGINS) else None
    if frame is None or data.find(JPEG_ENDS) != len(data) - len(JPEG_ENDS):
        return "no picture"
    return "a large picture" if max(frame.shape) > PICTURE_MOST else None


def line_trouble(data: bytes) -> str | None:
    """What a capturing child says is one JSON object of known words and single numbers."""
    try:
        line = json.loads(data)
    except ValueError:
        return "no line of JSON"
    if not isinstance(line, dict) or len(data) > LINE_MOST or not line.keys() <= LINE_KEYS:
        return "a line that no child says"
    return next(_odd(line), None)


def _odd(value: Any, deep: int = 0) -> Iterator[str]:
    """What does not belong into a line."""
    if isinstance(value, str) and len(value) > TEXT_MOST:
        yield "a long text"
    if isinstance(value, list) and not all(isinstance(one, str) for one in value):
        yield "a list of numbers"
    if deep > DEEP_MOST:
        yield "too deep"
    if isinstance(value, dict):
        if deep and not value.keys() <= KEYS:
            yield "an unknown name"
        value = list(value.values())
    for one in value if isinstance(value, list) else ():
        yield from _odd(one, deep + 1)
