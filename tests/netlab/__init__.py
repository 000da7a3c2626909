"""netlab: an impaired path between two network namespaces, and the truth about every packet on it.

    with impaired_path(up=Impairment(delay=0.02, jitter=0.005, loss=0.01), seed=1) as path:
        path.room.popen([…])          # a program in the room
        with path.laptop.enter():     # sockets of this thread, on the laptop
            …
    path.log                          # list[Fate], when the path has been closed

It runs as root or under `unshare -Urnm`; `unavailable()` says why it cannot.
"""

from tests.netlab.fate import Fate, read_log
from tests.netlab.impairment import GilbertElliott, Impairment
from tests.netlab.namespaces import Namespace, in_namespace, new_namespace, unavailable
from tests.netlab.path import ImpairedPath, RelayError, impaired_path

__all__ = [
    "Fate",
    "GilbertElliott",
    "ImpairedPath",
    "Impairment",
    "Namespace",
    "RelayError",
    "impaired_path",
    "in_namespace",
    "new_namespace",
    "read_log",
    "unavailable",
]
