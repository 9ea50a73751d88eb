# SPDX-License-Identifier: GPL-3.0-or-later
"""The vendor's own signer says what our signature must be. Its SDK has no calls for this API."""

import datetime as dt
from types import SimpleNamespace

import pytest
import requests
from holdfast.clients.providers.volc_sign import Volc4

signer = pytest.importorskip("volcenginesdkcore.signv4")
URL = "https://visual.volcengineapi.com/?Action=CVSubmitTask&Version=2022-08-31&Note=a%20b%2F%C3%A9"


def test_signature_is_the_vendors(monkeypatch: pytest.MonkeyPatch) -> None:
    ours = requests.Request(
        "POST", URL, json={"req_key": "x", "prompt": "é"}, auth=Volc4("AK", "SK", "cn-north-1", "cv")
    ).prepare()
    moment = dt.datetime.strptime(ours.headers["X-Date"], "%Y%m%dT%H%M%SZ")
    clock = SimpleNamespace(datetime=SimpleNamespace(utcnow=lambda: moment))
    monkeypatch.setattr(signer, "datetime", clock)
    theirs = {"Content-Type": "application/json", "Host": "visual.volcengineapi.com"}
    query = {"Action": "CVSubmitTask", "Version": "2022-08-31", "Note": "a b/é"}
    assert isinstance(ours.body, bytes)
    signer.SignerV4.sign("/", "POST", theirs, ours.body.decode(), None, query, "AK", "SK", "cn-north-1", "cv")
    assert ours.headers["Authorization"] == theirs["Authorization"]
    assert ours.headers["X-Content-Sha256"] == theirs["X-Content-Sha256"]
