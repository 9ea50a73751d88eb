# SPDX-License-Identifier: GPL-3.0-or-later
"""A keyring that hangs holds up nobody for long; a key stands in no trace of a crash and in no chain of errors."""

import json
import os
import tempfile
import time
from importlib import invalidate_caches
from pathlib import Path

import pytest
from holdfast.clients import keys as keys_module
from holdfast.clients.descriptor import Service
from holdfast.clients.keyring_asked import Keyring
from holdfast.clients.keys import keys_of, where_from
from holdfast.pipeline import secret
from holdfast.pipeline.worker import WorkerProcess

from ..loopback.server import Answer, Fault
from .jobs_service import Studio

NAME, CANARY = "HOLDFAST_STUDIO_KEY", "hf-canary-5c1d9e7b2a"
SERVICE = Service("studio", "Studio", "", keys=(NAME, "STUDIO_KEY"))


class Fake:
    """A keyring of its own in a folder; each question is noted there, with who asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.is_like()

    def is_like(self, value: str = CANARY, seconds: float = 0.0, body: str = "") -> None:
        (self.folder / "keyring.py").write_text(
            "import os, time\ndef get_password(service, name):\n"
            f"    open({str(self.folder / 'asked')!r}, 'a').write(f'{{service}} {{name}} {{os.getpid()}}\\n')\n"
            f"    time.sleep({seconds})\n    {body or 'pass'}\n    return {{{NAME!r}: {value!r}}}.get(name)\n"
        )

    @property
    def asked(self) -> list[list[str]]:
        path = self.folder / "asked"
        return [line.split() for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture
def keyring(monkeypatch, tmp_path):
    folder = tmp_path / "modules"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(keys_module, "_asked", Keyring())
    monkeypatch.setattr(secret, "_known", set())
    monkeypatch.delenv(NAME, raising=False)
    return Fake(folder)


def test_it_is_asked_in_another_process_and_a_worker_waits_for_it(keyring, tmp_path):
    assert keys_of(SERVICE, tmp_path, 9.0) == {NAME: CANARY}
    assert where_from(SERVICE, tmp_path) == "keyring"
    assert [each[:2] for each in keyring.asked] == [["holdfast", NAME], ["holdfast", "STUDIO_KEY"]]
    assert str(os.getpid()) not in {pid for *_, pid in keyring.asked}, "never in Blender itself"


def test_blender_never_waits_and_sees_it_with_a_later_look(keyring, tmp_path):
    keyring.is_like(seconds=0.2)
    began = time.perf_counter()
    assert where_from(SERVICE, tmp_path) == "" and keys_of(SERVICE, tmp_path) == {}
    assert time.perf_counter() - began < 0.15
    keys_module._asked._process.wait()
    assert where_from(SERVICE, tmp_path) == "keyring"
    assert len(keyring.asked) == 2, "each name once, however often one looks"


def test_one_that_hangs_is_waited_for_once_and_ended_in_the_end(keyring, tmp_path, monkeypatch):
    keyring.is_like(seconds=60.0)
    (tmp_path / "credentials.toml").write_text(f'{NAME} = "of-the-file"\n')
    (tmp_path / "credentials.toml").chmod(0o600)
    began = time.monotonic()
    for _ in range(20):
        assert keys_of(SERVICE, tmp_path, 0.2) == {NAME: "of-the-file"}, "the next place is looked at"
    assert 0.19 < time.monotonic() - began < 0.8
    process = keys_module._asked._process
    monkeypatch.setattr("holdfast.clients.keyring_asked.HANGS_S", 0.0)
    for _ in range(2):
        assert where_from(SERVICE, tmp_path) == "file"
    assert process.wait(5) != 0 and len(keyring.asked) <= 1, "nobody is asked for a password again and again"


def test_it_is_not_asked_for_what_is_found_before(keyring, monkeypatch, tmp_path):
    monkeypatch.setenv(NAME, "of-the-environment")
    assert keys_of(Service("s", "S", "", keys=(NAME,)), tmp_path, 5.0) == {NAME: "of-the-environment"}
    assert keyring.asked == []


@pytest.mark.parametrize("body", ["1 / 0", "os._exit(3)", "print('hello')"])
def test_one_that_does_not_work_is_none(keyring, tmp_path, body):
    keyring.is_like(body=body)
    assert keys_of(SERVICE, tmp_path, 9.0) == {}


def test_without_the_module_no_process_is_started(keyring, tmp_path):
    (keyring.folder / "keyring.py").unlink()
    invalidate_caches()
    assert keys_of(SERVICE, tmp_path, 9.0) == {} and keys_module._asked._process is None


def test_a_changed_key_is_seen(keyring, monkeypatch, tmp_path):
    monkeypatch.setattr("holdfast.clients.keyring_asked.AGAIN_S", 0.0)
    assert keys_of(SERVICE, tmp_path, 9.0)[NAME] == CANARY
    keyring.is_like("another")
    assert keys_of(SERVICE, tmp_path, 9.0)[NAME] == "another"


def test_keys_from_anywhere_are_cut_out_of_what_is_written_down(keyring, tmp_path):
    keys_of(SERVICE, tmp_path, 9.0)
    assert secret.clean(f"x{CANARY}y") == "x***y"


# -- crashes ---------------------------------------------------------------------------------------------------------


def left_behind(folder: Path, task: str, request: dict, monkeypatch) -> str:
    """All that a worker that ends so leaves: its log, its events, its job."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    finish = WorkerProcess._finish
    monkeypatch.setattr(WorkerProcess, "_finish", lambda self, keep: finish(self, keep=True))
    worker = WorkerProcess.start(
        f"tests.pure.key_tasks:{task}", request, ("-X", "faulthandler"), {NAME: CANARY}
    )
    events = []
    while not worker.finished:
        events += worker.poll()
        time.sleep(0.005)
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 3
    return json.dumps(events) + "".join(path.read_text(errors="replace") for path in files)


@pytest.mark.parametrize("task", ["abort", "overflow", "in_a_thread", "chained", "unraisable", "by_hand"])
def test_no_crash_tells_the_key(tmp_path, task, monkeypatch):
    text = left_behind(tmp_path, task, {}, monkeypatch)
    shown = {
        "abort": "Fatal Python error",
        "overflow": "RecursionError",
        "in_a_thread": "Exception in thread",
    }
    assert shown.get(task, "***") in text, text
    assert CANARY not in text and CANARY[::-1] not in text


def test_a_chain_of_errors_of_the_wire_has_no_key_in_its_sentences():
    """Every link: what a person reads, and what a debugger shows of it."""
    from holdfast.clients.calls import Call

    from .fault_parts import KEY, wire_to

    with Studio() as studio:
        studio.faults.append(Fault(drop="before", times=9))
        wire = wire_to(studio.url)
        for call in (Call("POST", "/jobs", json={}), Call("POST", "/jobs", headers={"X": f"{KEY}\nlink"})):
            with pytest.raises(Exception, match="Studio") as caught:
                wire.send(call)
            error: BaseException | None = caught.value
            while error is not None:
                assert KEY not in str(error) and KEY not in repr(error) and KEY not in repr(error.args)
                error = error.__cause__ or error.__context__
    assert Answer(200)
