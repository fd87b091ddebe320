"""What is generated is current, and nothing is asked of anybody on the network."""

from __future__ import annotations

import subprocess
import sys

from projects import ROOT
from ruamel.yaml import YAML

from tap_visma.streams import STREAMS
from target_twilio_alerts.documents import PRESETS


def run(*arguments):
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


def test_plugin_definitions_and_settings_tables_are_current():
    ended = run("scripts/generate_plugin_files.py", "--check")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_taps_schemas_are_those_of_the_contract(contracts):
    ended = run(
        "scripts/generate_schemas.py",
        "--check",
        str(contracts / "visma-erp.openapi.json"),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_fields_that_rules_may_name_are_those_of_the_taps_schemas(contracts):
    ended = run(
        "scripts/generate_raw_fields.py",
        "--check",
        str(contracts / "visma-erp.openapi.json"),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_vocabulary_is_that_of_the_presets():
    ended = run("scripts/generate_vocabulary.py", "--check")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_page_of_error_codes_is_that_of_the_table():
    ended = run("scripts/generate_error_codes.py", "--check")
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_sandboxs_endpoints_are_those_of_the_contract(contracts):
    ended = run(
        "scripts/generate_sandbox_endpoints.py",
        "--check",
        str(contracts / "visma-erp.openapi.json"),
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr


def test_the_warehouse_has_all_that_is_about_finance_and_alerts_some_of_it():
    project = YAML(typ="safe").load(ROOT / "meltano.yml")
    for_alerts, for_warehouse = (
        {chosen.removesuffix(".*") for chosen in plugin["select"]}
        for plugin in project["plugins"]["extractors"]
        if "select" in plugin
    )
    assert for_warehouse == {stream.name for stream in STREAMS if stream.is_finance}
    assert for_alerts < set(PRESETS) == for_warehouse


def test_the_project_needs_neither_hub_nor_analytics_and_keeps_no_secret():
    project = YAML(typ="safe").load(ROOT / "meltano.yml")
    assert project["send_anonymous_usage_stats"] is False
    assert project["cli"]["disable_version_check"] is True
    for kind, plugins in project["plugins"].items():
        for plugin in plugins:
            if "inherit_from" in plugin:
                continue
            lock = ROOT / "plugins" / kind / f"{plugin['name']}--{plugin['variant']}.lock"
            assert lock.is_file()
    prod = next(one for one in project["environments"] if one["name"] == "prod")
    assert set(prod) == {"name"}
