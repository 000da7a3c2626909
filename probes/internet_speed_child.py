"""The child process of internet_speed: runs the package speedtest-cli and says in lines of JSON what came of it.

Standard input: one line, the Errand. Standard output: a line for each thing as it becomes known: {"began": way};
{way: {…}}, the figures of a direction; {"failed": code, "detail": …}; {"payload": octets, "moved": bytes} often. When
its input is closed the process ends at once, so that it outlives nobody. What the package prints goes nowhere, and
its sys.exit ends nothing else.

All connections are made by the link's device and address and never through a proxy, trusting what the room's probe
trusts; the package only decides what to fetch, and does the sums. Nothing that it learns of places, operators or
addresses leaves this process.
"""

from __future__ import annotations

import os
import threading
import time
from functools import partial
from typing import Any
from urllib.error import HTTPError
from urllib.request import HTTPDefaultErrorHandler, ProxyHandler

from probes.internet_speed_wire import Errand, Failed, Wire
from processes import child
from processes.child import Say

UPLOAD_BYTES = [524288, 1048576, 7340032]  # these, and the counts, are what speedtest.net itself asks for
DOWNLOAD_SIDES = [350, 500, 750, 1000, 1500, 2000, 2500, 3000, 3500, 4000]
UPLOADS_OF_A_SIZE, DOWNLOADS_OF_A_SIZE, THREADS = 17, 4, 8
ASKING_BYTES = 1 << 23  # settings and lists of servers are smaller
NO_ANSWER_MS = 3_600_000 / 2  # what the package makes of three pings without answer
BY_STATUS = {403: "session_expired", 404: "room_test_not_offered", 429: "room_too_many_requests", 503: "room_busy"}
TELL_S = 0.05


class Body:
    """`length` octets that do not compress, in the form that the package reads: small, whatever the length."""

    def __init__(self, length: int, block: bytes) -> None:
        self._left, self._block = length, block

    def read(self, octets: int) -> bytes:
        """The next ones; none at the end."""
        taken = min(octets, self._left, len(self._block))
        self._left -= taken
        return self._block[:taken]


class Opener:
    """The package's opener; keeps count of how requests ended, since the package forgets it."""

    def __init__(self, inner: Any, wire: Wire, cut: type[BaseException]) -> None:
        self._open, self._wire, self._cut = inner.open, wire, cut

    def open(self, request: Any) -> Any:
        """As the package's."""
        meter = self._wire.meter
        if meter.isSet():  # the package would open all that are left, only to close them, and count the time
            raise OSError("enough")
        try:
            answer = self._open(request)
        except self._cut:  # the time is over in the middle of an upload: as it should be
            meter.ended(well=True)
            raise
        except BaseException:
            meter.ended(well=False)
            raise
        meter.ended(well=True)
        return answer


def run(errand: Errand, say: Say) -> None:
    """One test, whole. Raises whatever the network and the package do."""
    wire = Wire(errand, ASKING_BYTES)
    threading.Thread(target=_tell_moved, args=(wire, say), daemon=True).start()
    package = _package(wire)
    test = _of_room(package, errand, wire) if errand.url else _of_third_party(package, wire)
    test.config["length"] = {"upload": errand.seconds_each, "download": errand.seconds_each}
    for way, measure in (("down", test.download), ("up", partial(test.upload, pre_allocate=False))):
        say({"began": way})
        test._shutdown_event = meter = wire.measure()
        rate = measure() / 8
        octets = test.results.bytes_received if way == "down" else test.results.bytes_sent
        say({**wire.moved(), way: meter.figures(rate, octets)})


def _package(wire: Wire) -> Any:
    """The package, with our connections and small bodies."""
    import speedtest

    block = os.urandom(1 << 16)
    speedtest.SpeedtestHTTPConnection = partial(wire.connection, secure=False)
    speedtest.SpeedtestHTTPSConnection = partial(wire.connection, secure=True)
    speedtest.HTTPUploaderData.pre_allocate = lambda data: setattr(data, "_data", Body(data.length, block))
    speedtest.ProxyHandler = lambda: ProxyHandler({})
    speedtest.gzip = None  # ask for nothing packed
    return speedtest


def _of_third_party(package: Any, wire: Wire) -> Any:
    test = package.Speedtest(secure=True)
    test._opener = Opener(test._opener, wire, package.SpeedtestUploadTimeout)
    if test.get_best_server()["latency"] >= NO_ANSWER_MS:
        raise Failed("third_party_unreachable", "none of its servers answered")
    return test


def _of_room(package: Any, errand: Errand, wire: Wire) -> Any:
    """The room's own server in the layout of a mini server; the third party is not asked for anything."""
    package.Speedtest.get_config = _own_settings
    package.HTTPRedirectHandler = HTTPDefaultErrorHandler  # a room sends nobody elsewhere
    test = package.Speedtest(secure=True)
    with test._opener.open(package.build_request(errand.url)):  # the package would not tell why it was refused
        pass
    test._opener = Opener(test._opener, wire, package.SpeedtestUploadTimeout)
    if test.get_best_server(test.set_mini_server(errand.url))["latency"] >= NO_ANSWER_MS:
        raise Failed("room_protocol")
    return test


def _own_settings(test: Any) -> None:
    test.config.update(
        client={},
        ignore_servers=[],
        sizes={"upload": UPLOAD_BYTES, "download": DOWNLOAD_SIDES},
        counts={"upload": UPLOADS_OF_A_SIZE, "download": DOWNLOADS_OF_A_SIZE},
        threads={"upload": THREADS, "download": THREADS},
        upload_max=UPLOADS_OF_A_SIZE * len(UPLOAD_BYTES),
    )


def failure(error: BaseException, *, room: bool) -> Failed:
    """The code and the detail, without any address, of what ended the test."""
    chain = [error]
    while (inner := _within(chain[-1])) is not None and len(chain) < 9:
        chain.append(inner)
    for cause in chain:
        if isinstance(cause, Failed):
            return cause
    status = next((cause.code for cause in chain if isinstance(cause, HTTPError)), None)
    detail = "" if status is None else f"status {status}"
    if not room:
        return Failed("third_party_unreachable", detail or _words(chain))
    if status is not None:
        return Failed(BY_STATUS.get(status, "room_protocol"), detail)
    if isinstance(chain[-1], ConnectionRefusedError):
        return Failed("room_refused_connection")
    if isinstance(chain[-1], OSError):
        return Failed("room_unreachable")
    return Failed("room_protocol", type(chain[-1]).__name__)


def _within(error: BaseException) -> BaseException | None:
    """The package and urllib carry what really happened as an argument, as the reason, or as the cause."""
    carried = (getattr(error, "reason", None), *error.args[:1], error.__cause__)
    return next((c for c in carried if isinstance(c, BaseException) and c is not error), None)


def _words(chain: list[BaseException]) -> str:
    return "" if isinstance(chain[-1], OSError) else "what answered is not its speed test"


def main() -> None:
    """Read the errand, run it, say the result, end."""
    child.run(_work)


def _work(line: dict[str, Any], say: Say) -> None:
    errand = Errand(**line)
    try:
        run(errand, say)
    except ImportError:
        raise
    except BaseException as error:  # noqa: BLE001 - the package exits, and trips over garbage in many ways
        failed = failure(error, room=errand.url is not None)
        say({"failed": failed.code, "detail": failed.detail})


def _tell_moved(wire: Wire, say: Say) -> None:
    while True:
        say(dict(wire.moved()))
        time.sleep(TELL_S)


if __name__ == "__main__":
    main()
