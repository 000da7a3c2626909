import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.netlab.fixtures import why_not
from tests.netlab.namespaces import HERE, new_namespace, unavailable

pytestmark = [pytest.mark.netlab, pytest.mark.skipif(why_not() is not None, reason=str(why_not()))]


def others_exist():
    """A user namespace made by `unshare -Ur` holds root alone."""
    return os.geteuid() == 0 and int(Path("/proc/self/uid_map").read_text().split()[2]) > 65534


def here():
    return HERE.stat().st_ino


def test_only_the_calling_thread_enters():
    outside = here()
    with ThreadPoolExecutor(1) as other, new_namespace("n") as ns:
        assert other.submit(here).result() == outside
        with ns.enter():
            assert here() != outside
            assert other.submit(here).result() == outside
    assert here() == outside


def test_comes_back_after_an_error():
    outside = here()
    with new_namespace("n") as ns, pytest.raises(ValueError, match="inside"), ns.enter():
        raise ValueError("inside")
    assert here() == outside


def test_a_socket_stays_where_it_was_opened():
    with new_namespace("n") as ns:
        with ns.enter():
            server = socket.create_server(("127.0.0.1", 0))
        port = server.getsockname()[1]
        with server:
            ns.call(lambda: socket.create_connection(("127.0.0.1", port), 2).close())
            with pytest.raises(OSError, match=r"refused|unreachable"):  # the latter where `lo` is down outside
                socket.create_connection(("127.0.0.1", port), 2)


def test_programs_see_the_namespaces_links_only():
    with new_namespace("n") as ns:
        assert ns.run(["ls", "/sys/class/net"]).stdout.split() == ["lo"]
        assert "LOOPBACK,UP" in ns.run(["ip", "link"]).stdout


def test_call_returns_and_raises():
    with new_namespace("n") as ns:
        assert ns.call(lambda a, b: a + b, 1, 2) == 3
        with pytest.raises(ZeroDivisionError):
            ns.call(lambda: 1 / 0)
        with pytest.raises(TimeoutError, match="n"):
            ns.call(threading.Event().wait, 5, timeout=0.05)


def test_programs_end_with_the_namespace():
    with new_namespace("n") as ns:
        child = ns.popen(["sleep", "60"])
        assert child.poll() is None
    assert child.returncode is not None


def test_no_descriptor_and_no_thread_is_left():
    before = len(list(Path("/proc/self/fd").iterdir())), threading.active_count()
    for _ in range(3):
        with new_namespace("n") as ns, ns.enter():
            pass
    assert (len(list(Path("/proc/self/fd").iterdir())), threading.active_count()) == before


def test_says_why_it_is_not_to_be_had(monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    assert "iproute2" in (unavailable() or "")


@pytest.mark.skipif(not others_exist(), reason="only the system's own root can become somebody else")
def test_says_why_without_privileges():
    code = "import os; from tests.netlab.namespaces import unavailable;"
    code += "os.setgroups([]); os.setgid(65534); os.setuid(65534); print(unavailable())"
    root = str(Path(__file__).resolve().parents[2])
    said = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, timeout=20)
    assert "cannot be opened" in said.stdout or "unshare -Urnm" in said.stdout, said.stderr
