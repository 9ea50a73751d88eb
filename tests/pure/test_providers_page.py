# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of providers is what the catalogue says, and the catalogue keeps its own rules."""

import re
import subprocess
import sys
from importlib import import_module

import pytest
from holdfast.clients.adapter import Adapter
from holdfast.clients.descriptor import read_catalogue

from tests.repository import ROOT

CATALOGUE = read_catalogue()
CALLED = [model for model in CATALOGUE.models.values() if model.adapter and model.network]


@pytest.mark.checkout
def test_the_page_is_what_the_catalogue_says():
    done = subprocess.run(
        [sys.executable, "scripts/providers_table.py", "--check"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("model", CALLED, ids=lambda model: model.id)
def test_every_model_has_its_service_and_its_adapter(model):
    service = CATALOGUE.services[model.provider]
    assert service.base.startswith(("https://", "http://127.0.0.1", "http://localhost")), service.base
    module, _, name = model.adapter.partition(":")
    assert issubclass(getattr(import_module(f"holdfast.clients.{module}"), name), Adapter)
    assert model.evidence, "where it is known from"
    doubted = any("price" in fact for fact in (*model.unconfirmed, *service.unconfirmed))
    if not doubted and (
        model.price.per_second_micros or model.price.per_job_micros or model.price.per_result_micros
    ):
        assert re.fullmatch(r"\d{4}-\d\d-\d\d", model.price.as_of), "a price has the day on which it was read"
    if not service.base.startswith("http://"):
        assert service.keys and service.keys[0].startswith("HOLDFAST_"), service.keys
        assert service.retention, "a person should know how long it keeps what is sent"
