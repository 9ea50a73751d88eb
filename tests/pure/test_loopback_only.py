# SPDX-License-Identifier: GPL-3.0-or-later
"""The tests can't speak to another computer, nor can what they start, and that is itself tested."""

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from holdfast.pipeline.worker import WorkerProcess

from tests.loopback_hook import RECORD
from tests.plugin_loopback import SpokeToTheWorld, expected, is_ours, watched

OUTSIDE = "192.0.2.1"
REACH = f"import socket; socket.create_connection(({OUTSIDE!r}, 443), 0.2)"
INNER = """
import subprocess, sys
pytest_plugins = ["tests.plugin_loopback"]
def test_one_that_looks_away():
    subprocess.run([sys.executable, "-c", {code!r}], capture_output=True)
"""


def test_another_computer_is_refused_before_anything_is_sent():
    with expected() as seen:
        with socket.socket() as other, pytest.raises(SpokeToTheWorld):
            other.connect((OUTSIDE, 443))
        with pytest.raises(SpokeToTheWorld):
            socket.getaddrinfo("example.com", 443)
    assert [OUTSIDE in line or "example.com" in line for line in seen] == [True, True]


def test_a_thread_that_nobody_asks_is_noticed():
    def reach():
        with socket.socket() as other, pytest.raises(SpokeToTheWorld):
            other.connect((OUTSIDE, 443))

    with expected() as seen:
        thread = threading.Thread(target=reach)
        thread.start()
        thread.join()
    assert len(seen) == 1


def test_a_worker_is_refused_too():
    with expected() as seen:
        worker = WorkerProcess.start("tests.pure.worker_tasks:reach", {"host": OUTSIDE})
        events = []
        while not worker.finished:
            events += worker.poll()
    assert len(seen) == 1 and f"socket.connect to {OUTSIDE} by process" in seen[0]
    assert events[-1]["event"] == "error" and str(os.getpid()) not in seen[0]


@pytest.mark.parametrize("flags", [[], ["-I"], ["-X", "utf8"]])
@pytest.mark.parametrize("way", ["-c", "script"])
def test_any_python_is(tmp_path, flags, way):
    (tmp_path / "reach.py").write_text(
        f"import sys; assert sys.argv[1:] == ['a', 'b']\nassert __name__ == '__main__'\n{REACH}"
    )
    command = ["-c", REACH] if way == "-c" else [str(tmp_path / "reach.py"), "a", "b"]
    with expected() as seen:
        done = subprocess.run([sys.executable, *flags, *command], capture_output=True, text=True, check=False)
    assert "SpokeToTheWorld" in done.stderr and len(seen) == 1, done.stderr


def test_the_test_of_who_starts_it_fails(tmp_path):
    """Though nobody looked at what became of the process."""
    (tmp_path / "test_inner.py").write_text(INNER.format(code=REACH))
    surroundings = {name: value for name, value in os.environ.items() if name != RECORD}
    root = str(Path(__file__).parents[2])
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "tests.plugin_loopback",
        str(tmp_path),
    ]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**surroundings, "PYTHONPATH": root},
        check=False,
    )
    assert done.returncode == 1 and f"{OUTSIDE} by process" in done.stdout, done.stdout


def test_a_blender_gets_it_before_all_else():
    command = watched(["/opt/blender-5.2/blender", "-b", "a.blend"])
    assert command[:2] == ["/opt/blender-5.2/blender", "--python-expr"] and command[3:] == ["-b", "a.blend"]
    assert "__watch__" in command[2] and watched(["ls", "-l"]) == ["ls", "-l"]
    assert watched([sys.executable, "-m", "x", "y"])[-2:] == ["x", "y"]


def test_this_machine_is_not():
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())


@pytest.mark.parametrize(
    ("host", "ours"),
    [
        ("127.0.0.1", True),
        ("::1", True),
        (b"localhost", True),
        ("10.0.0.1", False),
        ("localhost.example.com", False),
    ],
)
def test_what_is_ours(host, ours):
    assert is_ours(host) is ours
