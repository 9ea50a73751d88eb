# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person sets of a service: where it is kept, what it may be, what it changes."""

import tomllib

import pytest
from holdfast.clients import settings
from holdfast.clients.descriptor import read_catalogue
from holdfast.clients.hosts import hosts_of
from holdfast.clients.offline.remote import BAD_DAYS
from holdfast.pipeline.errors import InputError, UsageError

CATALOGUE = read_catalogue()
REHEARSAL = CATALOGUE.services["rehearsal_remote"]


def put(tmp_path, service, name, text):
    known = CATALOGUE.services[service]
    settings.write(tmp_path, known, name, settings.value_of(known, name, text, as_text=True))


def now(tmp_path, service):
    return settings.read(tmp_path).over(CATALOGUE.services[service])


@pytest.mark.parametrize("service", CATALOGUE.services.values(), ids=lambda service: service.id)
def test_every_setting_is_described_and_its_usual_value_is_one(service):
    rules = settings.settings_of(service)
    for name, rule in rules.items():
        assert rule.says and not rule.says.endswith("."), name
        assert settings.value_of(service, name, rule.usual) == rule.usual
    assert set(service.about) <= set(rules)


def test_the_bad_days_are_the_choices():
    assert dict(settings.settings_of(REHEARSAL)["bad_day"].choices) == BAD_DAYS


def test_a_setting_is_kept_beside_the_project_and_taken_back(tmp_path):
    put(tmp_path, "rehearsal_remote", "bad_day", "no_answer")
    put(tmp_path, "rehearsal_remote", "seconds", "5")
    put(tmp_path, "ark", "region", "cn-beijing")
    usual = dict(REHEARSAL.settings)
    assert now(tmp_path, "rehearsal_remote").settings == {**usual, "seconds": 5, "bad_day": "no_answer"}
    assert now(tmp_path, "ark").settings["region"] == "cn-beijing"
    settings.write(tmp_path, REHEARSAL, "bad_day", None)
    assert now(tmp_path, "rehearsal_remote").settings == {**usual, "seconds": 5}
    assert tomllib.loads((tmp_path / "services.toml").read_text())["rehearsal_remote"] == {"seconds": 5}


def test_what_people_wrote_into_the_file_stays(tmp_path):
    text = '# of the studio\n\n[ark]  # ours\nregion = "cn-beijing"  # agreed with Li\n\n[rehearsal_remote]\nseconds = 3\n'
    (tmp_path / "services.toml").write_text(text)
    put(tmp_path, "rehearsal_remote", "seconds", "4")
    put(tmp_path, "ark", "base", "https://ark.studio.example/v3")
    after = (tmp_path / "services.toml").read_text()
    assert "# of the studio" in after and "# agreed with Li" in after and "# ours" in after
    assert now(tmp_path, "rehearsal_remote").settings["seconds"] == 4
    assert tomllib.loads(after)["ark"] == {"region": "cn-beijing", "base": "https://ark.studio.example/v3"}


def test_unusual_lines_are_written_anew_rather_than_wrongly(tmp_path):
    (tmp_path / "services.toml").write_text('comfyui = { workflow = "a.json" }\n')
    put(tmp_path, "comfyui", "bind", '{"prompt": "6.text", "a \\"b\\"": "7.x"}')
    told = tomllib.loads((tmp_path / "services.toml").read_text())
    assert told == {"comfyui": {"workflow": "a.json", "bind": {"prompt": "6.text", 'a "b"': "7.x"}}}


def test_the_studio_comes_before_the_usual_and_after_the_project(tmp_path, monkeypatch):
    text = '[ark]\nregion = "cn-beijing"\n[rehearsal_remote]\nseconds = 1\n[only_elsewhere]\nx = 1\n'
    (tmp_path / "studio.toml").write_text(text)
    monkeypatch.setenv("HOLDFAST_SERVICES", str(tmp_path / "studio.toml"))
    put(tmp_path, "rehearsal_remote", "seconds", "9")
    told = settings.read(tmp_path)
    assert now(tmp_path, "ark").settings["region"] == "cn-beijing"
    assert settings.settled(CATALOGUE, told).services["rehearsal_remote"].settings["seconds"] == 9
    assert [
        told.source("ark", "region"),
        told.source("rehearsal_remote", "seconds"),
        told.source("fal", "rest"),
    ] == ["studio", "project", ""]
    monkeypatch.setenv("HOLDFAST_SERVICES", str(tmp_path / "nothing.toml"))
    with pytest.raises(InputError, match="can't be read"):
        settings.read(tmp_path)


@pytest.mark.parametrize(("service", "name", "text", "says"), [
    ("ark", "colour", "x", "no setting 'colour'.*base, region"),
    ("ark", "region", "mars", "Choose from ap-southeast, cn-beijing"),
    ("replicate", "wait_s", "60", "0 to 45"),
    ("rehearsal_remote", "seconds", "-1", "0 or more"),
    ("rehearsal_remote", "seconds", "soon", "It is a number"),
    ("rehearsal_remote", "seconds", "nan", "It is a number"),
    ("rehearsal_remote", "bad_day", "monday", "Choose from busy"),
    ("hunyuan_local", "wait", "perhaps", "true or false"),
    ("comfyui", "bind", "{", "JSON"),
    ("comfyui", "bind", "[1]", "table"),
    ("runway", "base", "http://api.example.com", "not spoken to over http"),
    ("runway", "base", "http://192.168.1.2", "not spoken to over http"),
    ("runway", "base", "https://user:secret@example.com", "no name or key"),
    ("runway", "base", "ftp://example.com", "no address"),
    ("comfyui", "base", "http://8.8.8.8:8188", "local network"),
])  # fmt: skip
def test_what_can_not_be_is_a_sentence(tmp_path, service, name, text, says):
    with pytest.raises(UsageError, match=says):
        put(tmp_path, service, name, text)
    assert not (tmp_path / "services.toml").exists()


@pytest.mark.parametrize(("text", "says"), [
    ("[ark]\ncolour = 1\n", "no setting 'colour'"), ("[none]\nx = 1\n", "'none' that is none"),
    ("[ark\n", "can't be read"), ("region = 1\n", "outside of a service"), ("[ark]\nregion = 5\n", "Choose from"),
])  # fmt: skip
def test_a_file_that_is_wrong_is_a_sentence(tmp_path, text, says):
    (tmp_path / "services.toml").write_text(text)
    with pytest.raises(InputError, match=says):
        settings.settled(CATALOGUE, settings.read(tmp_path))


def test_a_key_is_never_kept(tmp_path):
    with pytest.raises(UsageError, match="key is never kept"):
        settings.write(tmp_path, CATALOGUE.services["runway"], "version", "canary-7f3a", ["canary-7f3a"])
    assert not (tmp_path / "services.toml").exists()


def test_another_address_is_another_host_to_agree_to(tmp_path):
    before = hosts_of(CATALOGUE.services["runway"])
    put(tmp_path, "runway", "base", "https://proxy.studio.example/runway")
    after = hosts_of(now(tmp_path, "runway"))
    assert after[0] == "proxy.studio.example" and not set(after) <= set(before)
    put(tmp_path, "fal", "rest", "https://rest.elsewhere.example")
    assert "rest.elsewhere.example" in hosts_of(now(tmp_path, "fal"))


def test_a_workflow_counts_by_what_is_in_it_and_is_found_beside_the_blend(tmp_path):
    root = tmp_path / "a.holdfast"
    root.mkdir()
    (tmp_path / "ink.json").write_text("{}")
    put(root, "comfyui", "workflow", "ink.json")
    one = now(root, "comfyui")
    assert one.settings["workflow"] == str(tmp_path / "ink.json")
    first = settings.that_count(one)
    (tmp_path / "ink.json").write_text('{"1": {}}')
    assert settings.that_count(one) != first and set(first) == {"workflow"}
    assert settings.that_count(CATALOGUE.services["runway"]) == {}
