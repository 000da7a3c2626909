"""What `motesklar join --json` said, as the fault table asks it."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import Any

from tests.netlab.program import PATIENCE


@dataclass
class Joined:
    """One run."""

    document: dict[str, Any]

    @property
    def first(self) -> tuple[str, str, str] | None:
        """Step, code and owner of what the program names as the first that failed."""
        first = self.document["first_failure"]
        return (first["step"], first["code"], first["owner"]) if first else None

    @property
    def level(self) -> str:
        return str(self.document["level"])

    @property
    def seconds(self) -> float:
        return float(self.document["duration_s"])

    @property
    def steps(self) -> dict[str, dict[str, Any]]:
        return {step["name"]: step for step in self.document["steps"]}

    @property
    def codes(self) -> dict[str, str]:
        """The failures and remarks, by step."""
        return {name: step["failure"]["code"] for name, step in self.steps.items() if step["failure"]}

    @property
    def path(self) -> str:
        """By which way the call went."""
        return str(self.steps["ice"]["facts"].get("media_path", "none"))

    @property
    def values(self) -> dict[str, float]:
        """Those of all steps."""
        return {name: value for step in self.steps.values() for name, value in step["values"].items()}


def joined(child: subprocess.Popen[str]) -> Joined:
    """Wait for its end. AssertionError: it said nothing, or too much."""
    return Joined(said(child))


def said(child: subprocess.Popen[str]) -> dict[str, Any]:
    """Its document."""
    out, err = child.communicate(timeout=PATIENCE)
    assert "Traceback" not in err, err
    assert out, (child.returncode, err)
    document: dict[str, Any] = json.loads(out)
    return document
