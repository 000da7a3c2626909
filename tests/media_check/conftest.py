"""What tests of devices share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.media_check import pulse as server_of


@pytest.fixture
def pulse() -> Iterator[server_of.Pulse]:
    """A private PulseAudio server without any device; skipped where PulseAudio is not installed."""
    if server_of.PROGRAM is None:
        pytest.skip("pulseaudio is not installed (Debian: pulseaudio libasound2-plugins libportaudio2)")
    with server_of.running() as running:
        yield running
