# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of services in the panel Jobs and by the command line: one file beside the project, read by the worker."""

import json
import tomllib
from pathlib import Path

import bpy
import pytest
from holdfast.clients.offline.remote import BAD_DAYS
from holdfast.command_line import main
from holdfast.operators import job_cache, job_consent, job_services, service_settings
from holdfast.panels import service_settings as panel
from holdfast.pipeline import consent

from ..bench import bench_jobs
from .job_parts import new_project

pytestmark = pytest.mark.checkout
LAN = "http://192.168.77.20:8188"


@pytest.fixture
def root(tmp_path) -> Path:
    made = new_project(tmp_path, "https://studio.invalid")
    service_settings.problems.clear()
    job_cache.refresh_now(bpy.context.scene)
    return made


def row(name):
    return bpy.context.window_manager.holdfast_jobs.settings[name]


def kept(root):
    path = root / "services.toml"
    return tomllib.loads(path.read_text()) if path.exists() else {}


def test_every_setting_has_a_row_that_shows_its_usual_value(root):
    assert row("rehearsal_remote.bad_day").choice == "-"
    assert (row("ark.region").choice, row("rehearsal_remote.seconds").text) == ("ap-southeast", "20")
    assert row("studio.base").text == "https://studio.invalid"
    items = service_settings._choices(row("rehearsal_remote.bad_day"), None)
    assert len(items) == len(BAD_DAYS) and ("never_ends", "Is never done", "never_ends") in items


def test_a_field_writes_the_file_and_the_arrow_takes_it_back(root):
    row("rehearsal_remote.bad_day").choice = "no_answer"
    row("rehearsal_remote.seconds").text = "2.5"
    row("hunyuan_local.wait").switch = True
    row("comfyui.workflow").path = str(root.parent / "ink.json")
    assert kept(root) == {
        "rehearsal_remote": {"bad_day": "no_answer", "seconds": 2.5}, "hunyuan_local": {"wait": True},
        "comfyui": {"workflow": "ink.json"},
    }  # fmt: skip
    job_cache.refresh_now(bpy.context.scene)
    told = job_cache.known("rehearsal_remote").service.settings
    assert (told["seconds"], told["bad_day"]) == (2.5, "no_answer")
    assert "Set in this project" in service_settings.says("rehearsal_remote.seconds")
    bpy.ops.holdfast.reset_setting(setting="rehearsal_remote.bad_day")
    row("hunyuan_local.wait").switch = False
    assert (
        kept(root)["rehearsal_remote"] == {"seconds": 2.5} and row("rehearsal_remote.bad_day").choice == "-"
    )
    assert "usual value" in service_settings.says("rehearsal_remote.bad_day")


def test_a_wrong_value_is_said_below_the_field_and_not_kept(root, monkeypatch):
    row("rehearsal_remote.seconds").text = "soon"
    assert kept(root) == {} and "number" in service_settings.problems["rehearsal_remote.seconds"]
    said = []
    monkeypatch.setattr(panel, "sentence", lambda _layout, _context, text, **_more: said.append(text))
    monkeypatch.setattr(panel, "explain", lambda *args, **more: None)
    bench_jobs.draw()
    row("rehearsal_remote.seconds").text = "3"
    assert service_settings.problems == {}


def test_another_host_is_agreed_to_anew(root):
    catalogue = job_services.services.catalogue
    job_consent.agree(root, catalogue.services["runway"], catalogue)
    job_cache.refresh_now(bpy.context.scene)
    assert job_cache.known("runway").agreed
    row("runway.base").text = "https://proxy.studio.example"
    job_cache.refresh_now(bpy.context.scene)
    assert not job_cache.known("runway").agreed
    job_consent.agree(root, job_cache.known("runway").service, job_services.services.catalogue)
    assert "proxy.studio.example" in consent.agreed(root)["runway"]


def test_what_is_not_encrypted_is_said_and_recorded_with_its_scheme(root):
    row("comfyui.base").text = LAN
    job_cache.refresh_now(bpy.context.scene)
    known = job_cache.known("comfyui")
    assert not known.local and not known.agreed and known.key
    told = dict(job_services.what_leaves(known.service, job_services.services.catalogue))
    assert "unencrypted" in told["Not secret"] and LAN in told["To whom"]
    job_consent.agree(root, known.service, job_services.services.catalogue)
    assert consent.agreed(root)["comfyui"] == (LAN,)
    job_cache.refresh_now(bpy.context.scene)
    assert job_cache.known("comfyui").ready
    row("comfyui.base").text = "http://8.8.8.8:8188"
    assert "local network" in service_settings.problems["comfyui.base"]


def test_a_server_of_ones_own_needs_no_key(root, monkeypatch):
    monkeypatch.delenv("HOLDFAST_COMFYUI_KEY", raising=False)
    assert job_cache.known("comfyui").ready


def run(capfd, *argv):
    code = main(["jobs", *argv])
    return code, capfd.readouterr().out


def test_headless(root, capfd, monkeypatch, tmp_path):
    code, out = run(capfd, "--set", "rehearsal_remote.bad_day=short", "--set", "ark.base=https://ark.example")
    assert code == 0 and "rehearsal_remote.bad_day is short." in out
    (tmp_path / "studio.toml").write_text('[gemini]\nversion = "v1beta"\n')
    monkeypatch.setenv("HOLDFAST_SERVICES", str(tmp_path / "studio.toml"))
    code, out = run(capfd, "--settings", "--json")
    told = {
        (e["service"], e["setting"]): e
        for e in map(json.loads, (x for x in out.splitlines() if x.startswith("{")))
        if e["event"] == "setting"
    }
    assert [
        told[key]["source"]
        for key in (("rehearsal_remote", "bad_day"), ("gemini", "version"), ("ark", "region"))
    ] == ["project", "studio", "usual"]
    assert run(capfd, "--usual", "rehearsal_remote.bad_day")[0] == 0
    assert kept(root) == {"rehearsal_remote": {}, "ark": {"base": "https://ark.example"}}
    for text in ("ark.colour=1", "nobody.x=1", "ark", "ark.region=mars", "ark.region"):
        assert run(capfd, "--set", text)[0] == 2, text
    (root / "services.toml").write_text("[")
    code, out = run(capfd, "--run")
    assert code == 20
