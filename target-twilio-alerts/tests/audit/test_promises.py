"""docs/promises.md: who follows it by hand comes to the same as `audit verify`."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROMISES = (Path(__file__).parents[3] / "docs" / "promises.md").read_text(encoding="utf-8")
SCRIPT = re.search(r"```python\n(.*?)```", PROMISES, re.DOTALL)[1]


@pytest.fixture
def walk(copy, tmp_path):
    """Run the script of the document over a copy of a ledger."""

    def walk(code=0):
        copy.path.replace(tmp_path / "ledger.db")
        ended = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == code, ended.stderr
        return ended.stdout + ended.stderr

    return walk


def test_its_script_walks_the_whole_trail(walk, anchor_file):
    *_, number, head = anchor_file.read_text().split()
    assert walk() == f"{number} {head}\n"


def test_its_script_finds_what_was_changed(walk, copy):
    copy.do("UPDATE audit_events SET body = '{}' WHERE seq = 10")
    assert walk(code=1) == "event 10 is not as it was sealed\n"


def test_its_form_is_the_one_that_is_sealed(rich):
    form = re.search(r"^\{\"alert_id\".*$", PROMISES, re.MULTILINE)[0]
    names = re.findall(r'"(\w+)":', form)
    message = rich.trail("--recipient", "anna")[0]["message"]
    for event in json.loads(rich.run("audit", "prove", message, "--json"))["events"]:
        assert list(json.loads(event["sealed"])) == names == sorted(names)


def test_what_it_says_of_a_proof_is_so(rich):
    message = rich.trail("--recipient", "anna")[0]["message"]
    proof = json.loads(rich.run("audit", "prove", message, "--json"))
    for path in re.findall(r"(?<=is )\.[\w.\[\]]+", PROMISES):
        found = proof
        for name in re.findall(r"\w+", path):
            found = found[int(name) if name.isdecimal() else name]
        assert re.fullmatch("[0-9a-f]{64}", found)
    told = "".join((proof["decision"]["salt"], "\x1f", proof["decision"]["text"]))
    hashed = proof["events"][0]["body"]["decision_hash"]
    assert hashlib.sha256(told.encode()).hexdigest() == hashed
