"""A defect of the program, in one line: not the user's fault, with what a developer needs to find it."""

from __future__ import annotations

from pathlib import Path


def line(error: BaseException) -> str:
    """Its kind and its place. Nothing of its text, which may hold a name or an address."""
    place = error.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    where = f"{Path(place.tb_frame.f_code.co_filename).name}:{place.tb_lineno}" if place else "?"
    return f"a defect of the program, please report it: {type(error).__name__} at {where}"
