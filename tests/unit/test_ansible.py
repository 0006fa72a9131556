"""In: playbooks, roles, inventory. Out: every variable has a spec, a default and a comment; templates can be used."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from appliance.settings import load
from tests.ansible_templates import ANSIBLE, ROLES, defaults, read, render

PLAYBOOKS = sorted(file for file in ANSIBLE.glob("*.yml"))
ROLE_NAMES = sorted(folder.name for folder in ROLES.iterdir())
VARIABLE = re.compile(r"\b((?:appliance|home_server|authority)__[a-z0-9_]+)\b")
TYPES: dict[str, Any] = {"str": str, "path": str, "int": int, "bool": bool, "list": list, "dict": dict}
WANTED = ("site", "update", "rollback", "revoke", "rotate", "renew", "decommission", "collect", "report", "run")


def options(role: str) -> dict[str, dict[str, Any]]:
    found = read(ROLES / role / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    assert isinstance(found, dict)
    return found


def test_the_playbooks_are_there() -> None:
    assert {file.stem for file in PLAYBOOKS} >= set(WANTED)


@pytest.mark.parametrize("file", sorted(ANSIBLE.rglob("*.yml")), ids=lambda file: str(file.relative_to(ANSIBLE)))
def test_yaml_says_what_goes_in_and_out(file: Path) -> None:
    assert read(file) is not None
    if file in PLAYBOOKS:
        assert file.read_text().startswith("# In: "), f"{file.name} does not say what goes in and comes out"


@pytest.mark.parametrize(
    "file", [file for file in ANSIBLE.rglob("*.yml") if "tasks" in file.parts or file in PLAYBOOKS]
)
def test_every_task_has_a_name_and_a_full_module(file: Path) -> None:
    keywords = {
        "name", "when", "register", "loop", "loop_control", "vars", "notify", "tags", "changed_when", "failed_when",
        "check_mode", "become", "delegate_to", "environment", "no_log", "until", "retries", "delay", "run_once", "block",
        "rescue", "always", "throttle", "listen",
    }  # fmt: skip

    def look(tasks: list[dict[str, Any]]) -> None:
        for task in tasks:
            if "hosts" in task:
                for part in ("pre_tasks", "tasks", "post_tasks"):
                    look(task.get(part, []))
                continue
            if "ansible.builtin.import_playbook" in task:
                continue
            assert task.get("name"), f"a task without a name in {file}"
            for part in ("block", "rescue", "always"):
                look(task.get(part, []))
            modules = task.keys() - keywords
            assert all(module.startswith("ansible.builtin.") for module in modules), f"{file}: {modules}"
            assert len(modules) == (0 if "block" in task else 1), f"{file}: {task['name']}"

    look(read(file))


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_default_has_a_spec_of_its_type_and_a_comment(role: str) -> None:
    specs, values = options(role), defaults(role)
    assert specs.keys() >= values.keys(), values.keys() - specs.keys()
    lines = (ROLES / role / "defaults" / "main.yml").read_text().splitlines()
    for name, value in values.items():
        if "{{" not in str(value):
            assert type(value) is TYPES[specs[name]["type"]], name
            assert "choices" not in specs[name] or value in specs[name]["choices"], name
        at = next(number for number, line in enumerate(lines) if line.startswith(f"{name}:"))
        assert lines[at - 1].startswith("# ") and not lines[at - 1].startswith("# ---"), f"{name} has no comment"
    for name, spec in specs.items():
        assert spec["description"], name
        assert spec.get("required") or name in values, f"{name} has no default"


def test_every_variable_of_a_role_that_is_used_is_known() -> None:
    known = {name for role in ROLE_NAMES for name in options(role)}
    used = {
        (name, str(file.relative_to(ANSIBLE)))
        for file in ANSIBLE.rglob("*")
        if file.is_file()
        for name in VARIABLE.findall(file.read_text())
    }
    assert {place for place in used if place[0] not in known} == set()
    assert known - {name for name, file in used if "meta" not in file and "defaults" not in file} == set(), (
        "nobody reads it"
    )


def test_the_example_inventory_names_what_a_house_has() -> None:
    groups = read(ANSIBLE / "inventory" / "hosts.yml")["all"]["children"]
    assert {"appliances", "canaries", "home_servers"} <= groups.keys()
    devices = groups["appliances"]["hosts"]
    boards = options("appliance")["appliance__board"]["choices"]
    assert all(device["appliance__board"] in boards for device in devices.values())
    assert set(groups["canaries"]["hosts"]) <= set(devices)
    assert any("appliance__language" in device for device in devices.values())
    assert any("appliance__wake_words" in device for device in devices.values())


def test_a_rollout_goes_in_waves_and_sees_who_is_missing() -> None:
    plays = read(ANSIBLE / "update.yml")
    waves = plays[-1]
    assert waves["serial"] == [1, "10%", "100%"] and waves["max_fail_percentage"] == 0 and waves["strategy"] == "linear"
    assert plays[1]["serial"] == 1 and plays[1]["hosts"].startswith("canaries")
    for play in plays[1:]:
        assert play["pre_tasks"][0]["ansible.builtin.import_tasks"] == "tasks/all_here.yml"
    assert "ansible_play_hosts_all" in (ANSIBLE / "tasks" / "all_here.yml").read_text()


GIVEN = {
    "appliance__id": "kitchen", "appliance__name": 'The "kitchen"', "appliance__area": "Küche",
    "appliance__broker_host": "home", "appliance__broker_port": 8883,
    "appliance__signers": ["ssh-ed25519 AAAA a", "ssh-ed25519 BBBB b\n"],
}  # fmt: skip


def test_the_settings_of_a_device_are_accepted_by_the_program(tmp_path: Path) -> None:
    extra = {
        "sound": {"rate_hz": 16000},
        "telemetry.mqtt": {"keepalive_s": 30},
        "wake": {"words": ["alexa", "okay_nabu"]},
    }
    text = render("appliance", "appliance.toml.j2", **GIVEN, appliance__settings=extra, appliance__models_folder="x")
    table = tomllib.loads(text)
    assert table["device"] == {"id": "kitchen", "name": 'The "kitchen"', "language": "en", "area": "Küche"}
    assert table["telemetry"]["mqtt"] == {"host": "home", "port": 8883, "keepalive_s": 30}
    file = tmp_path / "appliance.toml"
    file.write_text(text)
    settings, _ = load(file, [])
    assert settings.device.area == "Küche" and settings.wake.words == ("alexa", "okay_nabu")
    assert settings.telemetry.mqtt.host == "home" and settings.models.mirror == Path("/opt/appliance/models")


def test_a_device_without_a_broker_has_none_in_its_settings() -> None:
    text = render("appliance", "appliance.toml.j2", **(GIVEN | {"appliance__broker_host": ""}))
    assert "telemetry" not in tomllib.loads(text)


def test_signers_and_drop_in() -> None:
    signers = render("appliance", "allowed_signers.j2", **GIVEN).splitlines()
    assert signers == [
        'release namespaces="appliance-release" ssh-ed25519 AAAA a',
        'release namespaces="appliance-release" ssh-ed25519 BBBB b',
    ]
    closed = render(
        "appliance",
        "drop-in.conf.j2",
        **GIVEN,
        appliance__broker_address="192.0.2.10",
        appliance__unit_lines=["Nice=-3"],
    )
    assert "IPAddressDeny=any\nIPAddressAllow=localhost 192.0.2.10\nNice=-3\n" in closed
    assert "IPAddress" not in render("appliance", "drop-in.conf.j2", **GIVEN)


def test_a_revoked_device_has_no_line_in_the_access_list() -> None:
    revoked = type("Said", (), {"stdout_lines": ["bath"]})
    devices = {"home_server__devices": ["kitchen", "bath"], "home_server_revoked": revoked}
    text = render("home_server", "acl.j2", **devices)
    assert "user kitchen\ntopic readwrite appliance/kitchen/#\n" in text and "bath" not in text
    assert "homeassistant/#" not in text, "no Home Assistant, no rights for it"
    assert "user homeassistant\n" in render(
        "home_server", "acl.j2", **devices, home_server__users={"homeassistant": "x"}
    )


def test_the_report_names_who_is_away() -> None:
    import json

    telemetry = {"mqtt": {"connected": True}, "budgets": {"cpu": {"verdict": "critical"}}, "alerts": []}
    status = {
        "hearing": "hearing",
        "engines": {"stt": {"ready": False}},
        "uptime_s": 7200.0,
        "telemetry": telemetry,
    }
    release = {"current": "1.1.0", "result": {"version": "1.1.0", "outcome": "confirmed", "reasons": []}}
    about = {"report_release": {"stdout": json.dumps(release)}, "report_status": {"stdout": json.dumps(status)}}
    moment = type("Now", (), {"strftime": lambda self, form: "2026-11-28 01:00"})
    text = render("", "report.md.j2", groups={"appliances": ["kitchen", "bath"]},
                  hostvars={"kitchen": about, "bath": {}}, now=lambda utc: moment())  # fmt: skip
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert rows[2] == "| kitchen | 1.1.0 | 1.1.0 confirmed | hearing | stt | connected | cpu | 0 | 2.0 |"
    assert rows[3].startswith("| bath | **away** |")


@pytest.mark.parametrize("playbook", ["site.yml", "update.yml"])
def test_ansible_itself_takes_the_playbook(playbook: str) -> None:
    """The others differ little; `ansible-playbook --syntax-check` takes seconds each."""
    program = shutil.which("ansible-playbook", path=f"{Path(sys.executable).parent}")
    if program is None:
        pytest.skip("no ansible-playbook here (ansible-core, extra `dev`)")
    done = subprocess.run([program, "-i", "inventory", "--syntax-check", playbook], cwd=ANSIBLE, capture_output=True,
                          text=True, timeout=300, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
