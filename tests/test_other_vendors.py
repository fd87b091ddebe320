"""The tap speaks Singer as others understand it: another vendor's target, and the checker."""

from __future__ import annotations

import json
import subprocess

from tap_running import ENDPOINTS

from visma_twilio_sandbox import business


def test_every_record_loads_with_another_vendors_target(project, sandbox, tmp_path):
    business.history(sandbox.visma, documents=150, seed=2)
    folder = tmp_path / "output"
    folder.mkdir()
    project.run(
        "tap-visma",
        "target-jsonl",
        TARGET_JSONL_DESTINATION_PATH=str(folder),
        TARGET_JSONL_DO_TIMESTAMP_FILE="false",
    )
    for stream, endpoint in ENDPOINTS.items():
        (path,) = folder.glob(f"{stream}*.jsonl")
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        assert len(rows) == len(sandbox.visma.all(endpoint)), stream


def test_singer_check_tap_finds_nothing_wrong(project, sandbox, singer_tools):
    business.history(sandbox.visma, documents=150, seed=2)
    output = project.meltano("invoke", "tap-visma").stdout
    lines = "".join(f"{line}\n" for line in output.splitlines() if line.startswith('{"type"'))
    checked = subprocess.run(
        [singer_tools / "singer-check-tap"],
        input=lines,
        capture_output=True,
        text=True,
        check=False,
    )
    told = checked.stdout + checked.stderr
    assert checked.returncode == 0, told
    assert "The output is valid" in told
    for stream in ENDPOINTS:
        assert stream in told
