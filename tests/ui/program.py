"""`python -m tests.ui.program ARGUMENTS…`: motesklar itself, with the cameras that a test holds in place of real ones.

They are found by tests.media_check.camera_double.FOLDER in the environment.
"""

from __future__ import annotations

from agent.cli import main
from tests.media_check import camera_double

if __name__ == "__main__":
    camera_double.install()
    main()
