# SPDX-License-Identifier: GPL-3.0-or-later
"""http in the local network: to the one address that a person set and agreed to, if it leads there, and without a key.

A server on this machine stands in for one in the local network: 127.0.0.1 counts as private where a test says so.
"""

import socket
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from holdfast.clients import near, settings
from holdfast.clients.calls import Call
from holdfast.clients.descriptor import read_catalogue
from holdfast.clients.hosts import hosts_of, is_private, may_be_near, plain
from holdfast.clients.jobs import Runner
from holdfast.clients.websocket import Deaf, Websocket
from holdfast.clients.wire import Hosts, Wire
from holdfast.pipeline import consent
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import HoldfastError, ProviderBusy, Refused, UsageError
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.ledger import Ledger
from holdfast.pipeline.money import Caps

from ..loopback.comfyui import ComfyUI

CATALOGUE = read_catalogue()
COMFY = CATALOGUE.services["comfyui"]
WORKFLOW = '{"9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}}}'
KEY = "canary-of-a-proxy"


@pytest.fixture
def comfy():
    with ComfyUI() as server:
        server.waits = server.runs = 0
        yield server


@pytest.fixture
def leads(monkeypatch):
    """Where every name leads, call by call (the last one stays); 127.0.0.1 counts as private."""
    answers = [["127.0.0.1"]]
    monkeypatch.setattr(
        near, "resolved", lambda host, port: answers.pop(0) if len(answers) > 1 else answers[0]
    )
    monkeypatch.setattr(near, "is_private", lambda address: address == "127.0.0.1" or is_private(address))
    return answers


def at(comfy, host="farm.local"):
    return f"http://{host}:{urlsplit(comfy.url).port}"


def wired(base, **more):
    return Wire("ComfyUI", base, Hosts((base,), True, base, **more), Context(), sleep=lambda s: None)


@pytest.mark.parametrize("address", ["10.0.0.1", "172.16.5.4", "172.31.255.1", "192.168.1.20", "169.254.3.4", "fd12::1", "fe80::1%eth0", "::ffff:192.168.1.2"])  # fmt: skip
def test_private(address):
    assert is_private(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "127.0.0.1", "::1", "100.64.0.1", "0.0.0.0", "169.254.169.254", "fd00:ec2::254", "2001:db8::1", "::ffff:8.8.8.8", "192.168.1.20.evil.example", "3232235777", "0xc0a80114", "192.168.1", "224.0.0.1", ""])  # fmt: skip
def test_not_private(address):
    assert not is_private(address)


@pytest.mark.parametrize("url", [
    "http://8.8.8.8", "http://evil.example:8188", "http://192.168.1.20.evil.example", "http://farm.local.evil.example",
    "http://.local", "http://3232235777", "http://0xc0a80114", "http://169.254.169.254/latest", "http://u@192.168.1.2",
    "http://192.168.1.2@evil.example", "http://192.168.1.2\\@evil.example", "http://192.168.1.2#@evil.example",
    "http://[::1", "http://192.168.1.2:99999", "http://",
])  # fmt: skip
def test_no_address_of_the_local_network(url):
    with pytest.raises(UsageError):
        settings.value_of(COMFY, "base", url)


def test_only_a_server_of_ones_own_and_only_what_the_setting_names():
    assert settings.value_of(COMFY, "base", "http://192.168.1.20:8188") and may_be_near("farm.local")
    with pytest.raises(UsageError, match="not spoken to over http"):
        settings.value_of(CATALOGUE.services["runway"], "base", "http://192.168.1.20")
    base = "http://192.168.1.20:8188"
    hosts = Hosts((base,), True, base)
    hosts.check(f"{base}/queue")
    for url in (
        "http://192.168.1.21:8188",
        "http://192.168.1.20:80",
        "https://192.168.1.20:8188",
        "http://x@192.168.1.20:8188",
    ):
        with pytest.raises(Refused):
            hosts.check(url)
    for less in (
        Hosts((base,), True),
        Hosts(("192.168.1.20",), True, base),
        Hosts((".1.20:8188",), True, base),
        Hosts((base,), False, base),
    ):
        with pytest.raises(Refused):
            less.check(base)


def test_the_name_is_looked_at_when_the_connection_is_made(comfy, leads):
    wire = wired(at(comfy))
    assert wire.ask(Call("GET", "queue")).ok
    assert comfy.log[-1].headers["host"] == f"farm.local:{urlsplit(comfy.url).port}"
    wire.close()
    for later in (["93.184.216.34"], ["127.0.0.1", "93.184.216.34"], ["169.254.169.254"], ["::1"]):
        leads[:] = [["127.0.0.1"], later]
        wire = wired(at(comfy))
        before = len(comfy.log)
        near.near("farm.local", 80)  # what it was when somebody looked
        with pytest.raises(Refused, match="leads out of the local network"):
            wire.send(Call("POST", "prompt", json={}))
        assert len(comfy.log) == before
        wire.close()


def test_the_machine_that_answers_is_looked_at_too(comfy, leads, monkeypatch):
    leads[:] = [["192.168.77.7"]]
    real = socket.create_connection
    monkeypatch.setattr(
        "urllib3.util.connection.create_connection",
        lambda address, *args, **more: real(("127.0.0.1", address[1])),
    )
    monkeypatch.setattr(near, "is_private", lambda address: address == "192.168.77.7")
    with pytest.raises(Refused, match=r"127\.0\.0\.1"):
        wired(at(comfy)).send(Call("GET", "queue"))
    assert comfy.log == []


def test_a_name_that_leads_nowhere_is_busy(comfy, leads, monkeypatch):
    monkeypatch.setattr(near, "resolved", lambda host, port: (_ for _ in ()).throw(OSError("unknown")))
    with pytest.raises(ProviderBusy, match=r"farm\.local"):
        wired(at(comfy)).send(Call("GET", "queue"))


def test_progress_listens_to_the_local_network_alone(comfy, leads):
    Websocket(f"{at(comfy)}/ws?clientId=a", None, near.near).close()
    leads[:] = [["93.184.216.34"]]
    with pytest.raises(Refused):
        Websocket(f"{at(comfy)}/ws?clientId=a", None, near.near)
    with pytest.raises(Deaf):
        Websocket("http://127.0.0.1:9/ws")


def sent(tmp_path, base, agreed, monkeypatch, *, catalogue=CATALOGUE):
    """A job for ComfyUI, after one round of the worker."""
    monkeypatch.setenv("HOLDFAST_COMFYUI_KEY", KEY)
    (tmp_path / "w.json").write_text(WORKFLOW)
    root = tmp_path / "a.holdfast"
    root.mkdir(exist_ok=True)
    if base:
        settings.write(root, COMFY, "base", base)
    settings.write(root, COMFY, "workflow", "w.json")
    if agreed:
        consent.agree(Ledger(root / "ledger"), "comfyui", agreed, "what was shown")
    store = JobStore(root)
    facts = {"provider": "comfyui", "model": "workflow", "shot": "s", "purpose": "take"}
    job = store.prepare({"inputs": [], "prompt": "", "seed": None, "options": {}}, Caps(), price=0, **facts)
    Runner(store, catalogue, True, Context()).work(job.id)
    return store.get(job.id)


def test_a_job_goes_there_after_consent_to_exactly_that_and_without_a_key(
    tmp_path, comfy, leads, monkeypatch
):
    base = at(comfy)
    known = settings.Told({"comfyui": {"base": base}}).over(COMFY)
    assert plain(known) == base and hosts_of(known)[0] == base
    for agreed in ((), ("127.0.0.1",), ("farm.local",), (f"https://farm.local:{urlsplit(base).port}",)):
        job = sent(tmp_path, base, agreed, monkeypatch)
        assert (job.step, job.counts, comfy.log) == (Step.FAILED, 0, []) and "agreed" in job.says, agreed
    job = sent(tmp_path, base, (base,), monkeypatch)
    assert job.step is Step.REMOTE, job.says
    assert all(KEY not in str(each.headers) for each in comfy.log)


def test_an_entry_of_a_catalogue_is_no_setting_of_a_person(tmp_path, comfy, leads, monkeypatch):
    base = at(comfy)
    theirs = replace(CATALOGUE, services={**CATALOGUE.services, "comfyui": replace(COMFY, base=base)})
    job = sent(tmp_path, "", (base,), monkeypatch, catalogue=theirs)
    assert (job.step, job.counts, comfy.log) == (Step.FAILED, 0, []) and "not https" in job.says


def test_a_job_goes_on_where_it_was_sent_and_waits_while_the_file_is_damaged(
    tmp_path, comfy, leads, monkeypatch
):
    base = at(comfy)
    job = sent(tmp_path, base, (base,), monkeypatch)
    root = tmp_path / "a.holdfast"
    runner = Runner(JobStore(root), CATALOGUE, True, Context())
    settings.write(root, COMFY, "base", "http://10.1.2.3:8188")
    assert runner.adapter(runner.store.get(job.id)).wire.base == base
    (root / "jobs" / job.id / "settings.json").unlink()
    (root / "services.toml").write_text("[comfyui\n")
    with pytest.raises(Refused, match="can't be read"):
        runner.adapter(runner.store.get(job.id))
    runner.work(job.id)
    assert runner.store.get(job.id).step is Step.REMOTE


def test_errors_of_odd_addresses_are_ours():
    for url in ("http://[", "http://a:b", "", "http://farm.local:99999/x"):
        with pytest.raises(HoldfastError):
            Hosts((), True, "http://farm.local:80").check(url)
