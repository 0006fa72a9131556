"""In: a template of a role, and variables over its defaults. Out: its text, as Ansible renders it (Jinja2)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.shared import ROOT

ANSIBLE = ROOT / "ansible"
ROLES = ANSIBLE / "roles"


def defaults(role: str) -> dict[str, Any]:
    found = yaml.safe_load((ROLES / role / "defaults" / "main.yml").read_text())
    assert isinstance(found, dict)
    return found


def _combine(*tables: Mapping[str, Any], recursive: bool = False) -> dict[str, Any]:
    """ansible.builtin.combine."""
    merged: dict[str, Any] = {}
    for table in tables:
        for name, value in table.items():
            old = merged.get(name)
            deep = recursive and isinstance(old, dict) and isinstance(value, dict)
            merged[name] = _combine(old, value, recursive=True) if deep else value
    return merged


def render(role: str, template: str, **given: Any) -> str:
    """Skips where there is no Jinja2; a variable that has neither default nor value fails."""
    jinja2 = pytest.importorskip("jinja2", reason="no Jinja2 here (it comes with ansible-core, extra `dev`)")
    folder = ROLES / role / "templates" if role else ANSIBLE / "templates"
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "combine": _combine,
        "to_json": lambda value, ensure_ascii=True: json.dumps(value, ensure_ascii=ensure_ascii),
        "from_json": json.loads,
        "dict2items": lambda table: [{"key": key, "value": value} for key, value in table.items()],
    }
    plain = {name: value for name, value in (defaults(role) if role else {}).items() if "{{" not in str(value)}
    text: str = environment.get_template(template).render(plain | {"ansible_managed": "Ansible"} | given)
    return text


def read(path: Path) -> Any:
    """The file's YAML, with Ansible's own tags taken as plain."""
    return yaml.safe_load(path.read_text())
