"""Writes grafana/*.json:  python -m dashboards.build

The files are in the tree, so that nobody who uses them needs Python; a test holds that they are what this makes.
"""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from dashboards import equipment, network_quality, overview, room

FOLDER = Path(__file__).with_name("grafana")
PARTS = {
    "overview": overview.made,
    "network_quality": network_quality.made,
    "equipment": equipment.made,
    "test_room": room.made,
}


def documents() -> dict[str, str]:
    """The files by name. The same at each call."""
    return {
        f"{name}.json": json.dumps(made(), cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for name, made in PARTS.items()
    }


def main() -> None:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
