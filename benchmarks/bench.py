"""Measures the tap beside others, its start and memory, the target, the trail, and an idle run.

Usage: bench.py [PART...] [--records N] [--rounds N] [--write]; all parts by default. What is
printed are seconds of this machine, and ratios; only the ratios mean anything elsewhere.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import alerting
import clients
import idling
import proving
import reading
import report
from measuring import CACHE, ROOT
from serving import PAGE, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from report import Section

PARTS = ("read", "latency", "start", "memory", "target", "verify", "idle")
BIN = Path(sys.executable).parent


def sections(wanted: set[str], records: int, rounds: int) -> Iterator[Section]:
    """Measure what is wanted, part by part."""
    CACHE.mkdir(exist_ok=True)
    lines = reading.OUTPUT / clients.TAP
    if wanted - {"idle", "verify"}:
        programs = clients.install_tap()
        with serving(records) as server:
            if "read" in wanted:
                yield reading.read(server, programs, records, rounds)
            if "latency" in wanted:
                yield reading.read_slowly(server, programs, records, rounds)
            if "start" in wanted:
                yield reading.start(programs)
            if "memory" in wanted:
                yield reading.memory(server, programs)
            if "target" in wanted and not lines.exists():
                reading.read_once(server, programs, records)
    with tempfile.TemporaryDirectory() as folder:
        if "target" in wanted:
            yield alerting.alert(BIN, Path(folder), lines, records)
        if "verify" in wanted:
            yield proving.prove(BIN, Path(folder), rounds)
        if "idle" in wanted:
            yield idling.idle(BIN, Path(folder))


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="write docs/benchmarks.md too")
    arguments = parser.parse_args()
    wanted = set(PARTS) if "all" in arguments.what else set(arguments.what)
    if arguments.records % PAGE:
        parser.error(f"--records: give a multiple of {PAGE}, so that pages are full")
    if arguments.write and wanted != set(PARTS):
        parser.error("--write: only all parts together make a report of one run")
    facts = report.machine(os.getloadavg()[0])
    found = []
    try:
        for section in sections(wanted, arguments.records, arguments.rounds):
            report.say(section)
            found.append(section)
    finally:
        shutil.rmtree(reading.OUTPUT, ignore_errors=True)
    if arguments.write:
        facts |= {"tap-visma": metadata.version("tap-visma"), **clients.versions()}
        report.write(found, facts, ROOT / "docs")


if __name__ == "__main__":
    main()
