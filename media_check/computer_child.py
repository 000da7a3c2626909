"""The child process of the check "computer": {"job": "encode" | "card"} in, one line of numbers out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from media_check import computer_card, computer_encode
from media_check.computer_part import UnknownError
from processes import child


def work(first: dict[str, Any], say: child.Say) -> None:
    """Or {"missing": package}; {"service": False}: no card service; {"reason": …}: the system does not tell."""
    try:
        say(_card() if first["job"] == "card" else asdict(computer_encode.encode()))
    except ImportError as missing:
        say({"missing": (missing.name or "").partition(".")[0]})
    except (UnknownError, ValueError) as unknown:
        say({"reason": str(unknown)})


def _card() -> child.Line:
    if (found := computer_card.look()) is None:
        return {"service": False}
    readers, cards = found
    return {"readers": readers, "cards": cards}


if __name__ == "__main__":
    child.run(work)
