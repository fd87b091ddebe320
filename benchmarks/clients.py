"""Who is measured: an environment of its own for each, kept in .bench, and how it is run."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from measuring import CACHE, ROOT, Cost, measure

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

OTHERS = Path(__file__).with_name("others")
SCHEMA = ROOT / "tap-visma" / "tap_visma" / "schemas" / "supplier_invoices.json"
STREAM = "supplier_invoices"

TAP = "tap-visma"
ONE_AT_A_TIME = "tap-visma, one page at a time"
BARE = "bare requests + msgspec loop"
SDK = "plain SDK tap"
DLT = "dlt rest_api, extract only"
AIRBYTE = "Airbyte CDK, declarative"

_NUMBER = re.compile(rb'"referenceNumber": ?"(\d+)"')
_UV_ENVIRONMENT = {"UV_COMPILE_BYTECODE": "1"}

_QUIET: Mapping[str, Mapping[str, str]] = {
    # No calls home while it is measured, and plain files, as all others write them.
    "dlt": {"RUNTIME__DLTHUB_TELEMETRY": "false", "DATA_WRITER__DISABLE_COMPRESSION": "true"},
    "airbyte": {"DO_NOT_TRACK": "true"},
}


@dataclass(frozen=True)
class Client:
    """One that reads invoices.

    Attributes:
        name: What it is called in the results.
        run: Reads all, given the settings and where the output goes.
    """

    name: str
    run: Callable[[Mapping[str, Any], Path], Cost]


def python_of(name: str) -> Path:
    """The interpreter of an environment, which is made first if it is not there or not current."""
    place = CACHE / name
    wanted = OTHERS / f"{name}.txt"
    mark = place / ".ready"
    digest = hashlib.sha256(wanted.read_bytes() + sys.version.encode()).hexdigest()
    if not mark.exists() or mark.read_text(encoding="ascii") != digest:
        shutil.rmtree(place, ignore_errors=True)
        _uv("venv", "--python", sys.executable, place)
        _uv("pip", "install", "--python", place / "bin" / "python", "-r", wanted)
        mark.write_text(digest, encoding="ascii")
    return place / "bin" / "python"


def install_tap() -> Path:
    """Make an environment with only the tap, as it is now; gives the folder of its programs.

    It is made for each run, since the tap's own files are what may have changed.
    """
    place = CACHE / "tap"
    if not (place / "bin" / "python").exists():
        _uv("venv", "--python", sys.executable, place)
    pins = ROOT / "requirements-dev.txt"
    installer = ("pip", "install", "--python", place / "bin" / "python", "--constraint", pins)
    _uv(*installer, "--reinstall-package", "tap-visma", ROOT / "tap-visma")
    return place / "bin"


def tap(programs: Path, name: str = TAP, **settings: Any) -> Client:
    """Our tap, reading the one stream.

    Args:
        programs: Where it is installed.
        name: What to call it.
        settings: Its settings beside those that each client gets.
    """
    return Client(name, partial(_run_tap, programs, settings))


def others() -> list[Client]:
    """All others; their environments are made now, so that no run has to wait for one."""
    for name in ("bare", "sdk", "dlt", "airbyte"):
        python_of(name)
    return [
        Client(BARE, partial(_run_script, "bare", "bare_loop.py")),
        Client(SDK, partial(_run_script, "sdk", "sdk_tap.py")),
        Client(DLT, partial(_run_script, "dlt", "dlt_extract.py")),
        Client(AIRBYTE, partial(_run_script, "airbyte", "airbyte_read.py")),
    ]


def versions() -> dict[str, str]:
    """What each of the others is."""
    pins = {"bare": ("requests", "msgspec"), "sdk": ("singer-sdk",)}
    pins |= {"dlt": ("dlt",), "airbyte": ("airbyte-cdk",)}
    found = {}
    for name, packages in pins.items():
        text = (OTHERS / f"{name}.txt").read_text(encoding="utf-8")
        for package in packages:
            version = re.search(rf"^{package}==([\w.]+)", text, re.MULTILINE)
            found[package] = version[1] if version else "?"
    return found


def distinct_invoices(output: Path) -> int:
    """How many invoices are in what a client wrote: a file, or a folder of files."""
    files = [path for path in output.rglob("*") if path.is_file()] if output.is_dir() else [output]
    numbers: set[bytes] = set()
    for file in files:
        with file.open("rb") as lines:
            for line in lines:
                numbers.update(_NUMBER.findall(line))
    return len(numbers)


def measured(
    command: Sequence[str | Path],
    *,
    stdout: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> Cost:
    """What a command costs that must see nothing of this checkout."""
    env = {**os.environ, **(env or {})}
    env.pop("PYTHONPATH", None)
    return measure(command, stdout=stdout, env=env, cwd=CACHE)


def _run_script(name: str, script: str, config: Mapping[str, Any], output: Path) -> Cost:
    python = python_of(name)
    settings = _written(config, CACHE / "config.json")
    command: list[str | Path] = [python, OTHERS / script, settings, SCHEMA]
    env = _QUIET.get(name)
    _clear(output)
    if name == "dlt":
        output.mkdir()
        return measured([*command, output], env=env)
    return measured(command, stdout=output, env=env)


def _run_tap(
    programs: Path,
    own: Mapping[str, Any],
    config: Mapping[str, Any],
    output: Path,
) -> Cost:
    settings = _written({**config, **own}, CACHE / "config.json")
    catalog = _written(_catalog(programs, settings), CACHE / "catalog.json")
    command: list[str | Path] = [programs / "tap-visma", "--config", settings]
    command += ["--catalog", catalog]
    _clear(output)
    return measured(command, stdout=output)


def _catalog(programs: Path, config: Path) -> dict[str, Any]:
    """Only the one stream, selected."""
    told = subprocess.run(
        [programs / "tap-visma", "--config", config, "--discover"],
        capture_output=True,
        check=True,
    )
    streams = json.loads(told.stdout)["streams"]
    return {"streams": [one for one in streams if one["stream"] == STREAM]}


def _clear(output: Path) -> None:
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink(missing_ok=True)


def _written(value: Mapping[str, Any], path: Path) -> Path:
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def _uv(*arguments: str | Path) -> None:
    command = [sys.executable, "-m", "uv", *map(str, arguments), "--quiet"]
    subprocess.run(command, check=True, env={**os.environ, **_UV_ENVIRONMENT})
