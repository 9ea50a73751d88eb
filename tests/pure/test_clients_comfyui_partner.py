# SPDX-License-Identifier: GPL-3.0-or-later
"""The key of a Comfy account: with workflows that have partner nodes, to a server on this machine or over https, and
in no file. A canary is planted and all that a job leaves behind is searched for it."""

import base64
import json

import pytest
import requests
from holdfast.clients import near, settings
from holdfast.clients.descriptor import read_catalogue
from holdfast.clients.hosts import is_private
from holdfast.clients.jobs import Runner
from holdfast.clients.providers import comfyui_partner
from holdfast.clients.providers.comfyui_partner import FIELD, MARK, Signed
from holdfast.clients.providers.comfyui_says import of_execution
from holdfast.pipeline import consent
from holdfast.pipeline.context import Context
from holdfast.pipeline.errors import Refused
from holdfast.pipeline.jobs import JobStore, Step
from holdfast.pipeline.ledger import Ledger
from holdfast.pipeline.money import Caps

from ..loopback.comfyui import ComfyUI

ACCOUNT, PROXY = 'hf-canary-account "9e\\27"', "hf-canary-proxy-51c"
CATALOGUE = read_catalogue()
SAVE = {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}}
PARTNER = {"1": {"class_type": "KlingVideoNode", "inputs": {"prompt": "a"}}, "9": SAVE}


@pytest.fixture
def comfy(monkeypatch):
    monkeypatch.setattr(comfyui_partner, "_partners", {})
    monkeypatch.setenv("HOLDFAST_COMFYUI_KEY", PROXY)
    monkeypatch.setenv("HOLDFAST_COMFY_ORG_KEY", ACCOUNT)
    with ComfyUI() as server:
        server.waits = server.runs = 0
        yield server


def sent(tmp_path, comfy, workflow, base=""):
    """A job is sent; returns (store, job, what the server was sent as the workflow)."""
    root = tmp_path / "a.holdfast"
    root.mkdir()
    (tmp_path / "w.json").write_text(json.dumps(workflow))
    service = CATALOGUE.services["comfyui"]
    settings.write(root, service, "workflow", "w.json")
    settings.write(root, service, "base", base or comfy.url)
    consent.agree(Ledger(root / "ledger"), "comfyui", [base], "what was shown")
    store = JobStore(root)
    facts = {"provider": "comfyui", "model": "workflow", "shot": "s", "purpose": "take"}
    job = store.prepare({"inputs": [], "prompt": "", "seed": None, "options": {}}, Caps(), price=0, **facts)
    runner = Runner(store, CATALOGUE, True, Context())
    runner.work(job.id)
    runner.work(job.id)
    (call,) = comfy.of("POST", "/prompt")
    return store, store.get(job.id), call


def test_partner_nodes_get_the_key_and_no_file_does(tmp_path, comfy):
    _store, job, call = sent(tmp_path, comfy, PARTNER)
    assert call.json["extra_data"] == {FIELD: ACCOUNT} and job.step is not Step.FAILED, job.says
    assert call.headers["authorization"] == f"Bearer {PROXY}"
    spellings = [each for key in (ACCOUNT, PROXY) for each in (
        key.encode(), json.dumps(key)[1:-1].encode(), key.encode("utf-16-le"), base64.b64encode(key.encode())[:-2])]  # fmt: skip
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    holding = [path for path in files if any(each in path.read_bytes() for each in spellings)]
    assert len(files) > 3 and holding == []


def test_other_workflows_do_not(tmp_path, comfy):
    _store, _job, call = sent(tmp_path, comfy, {"9": SAVE})
    assert "extra_data" not in call.json and ACCOUNT not in str(call.headers)


def test_without_an_account_the_server_is_not_even_asked(tmp_path, comfy, monkeypatch):
    monkeypatch.delenv("HOLDFAST_COMFY_ORG_KEY")
    _store, _job, call = sent(tmp_path, comfy, PARTNER)
    assert "extra_data" not in call.json and comfy.of("GET", "/object_info/KlingVideoNode") == []


def test_no_key_goes_into_the_local_network_without_encryption(tmp_path, comfy, monkeypatch):
    monkeypatch.setattr(near, "resolved", lambda host, port: ["127.0.0.1"])
    monkeypatch.setattr(near, "is_private", lambda address: address == "127.0.0.1" or is_private(address))
    _store, _job, call = sent(tmp_path, comfy, PARTNER, comfy.url.replace("127.0.0.1", "farm.local"))
    assert "extra_data" not in call.json and "authorization" not in call.headers
    wanted = {"url": "http://farm.local/prompt", "json": {"extra_data": {FIELD: MARK}}}
    with pytest.raises(Refused, match="without encryption"):
        requests.Request("POST", auth=Signed({"HOLDFAST_COMFY_ORG_KEY": ACCOUNT}), **wanted).prepare()


def test_the_mark_elsewhere_in_a_workflow_stays_a_mark():
    body = {"prompt": {"1": {"inputs": {"text": MARK}}}}
    made = requests.Request(
        "POST", "https://x/prompt", json=body, auth=Signed({"HOLDFAST_COMFY_ORG_KEY": ACCOUNT})
    ).prepare()
    assert json.loads(made.body) == body and made.headers["content-length"] == str(len(made.body))


def test_a_missing_account_is_said():
    message = "Unauthorized: Please login first to use this node."
    status = {"messages": [["execution_error", {"node_id": "1", "exception_message": message}]]}
    _stopped, failure = of_execution(status, {"1": "Kling"})
    assert "HOLDFAST_COMFY_ORG_KEY" in failure.says and "'Kling'" in failure.says
