"""How long calls last and how many there are: numbers that the room and its call processes share."""

from __future__ import annotations

MOST_CONNECTING_S = 10.0  # from the offer until ICE and DTLS are done
SILENCE_S = 5.0  # after the last packet of media
LONGEST_S = 60.0  # from the offer
MOST_OF_A_SESSION, MOST_AT_ONCE = 12, 4
CALLS_PER_CORE = 40
# Of one call's media and of what it asks for beside its echo, and a second's worth at once; the rest is dropped.
MOST_OCTETS_PER_S = 500_000
BEAT_S = 1.0  # a call process tells that it lives
