"""Measures the tap beside others, the target, what it sends and hears, the trail, and an idle run.

Usage: bench.py [PART...] [--records N] [--rounds N] [--seconds N] [--write]; all parts by default.
What is printed are seconds of this machine, and ratios; only the ratios mean anything elsewhere.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import alerting
import clients
import hearing
import idling
import proving
import reading
import rehearsing
import report
import sending
import webhooking
from measuring import CACHE, ROOT
from serving import PAGE, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from report import Section

_OF_THE_TAP = ("read", "latency", "start", "memory")
_OF_ITS_OUTPUT = ("target", "backtest")
_OTHERS = ("conditions", "send", "verify", "callbacks", "webhook", "idle")
PARTS = (*_OF_THE_TAP, *_OF_ITS_OUTPUT, *_OTHERS)
BIN = Path(sys.executable).parent


def sections(wanted: set[str], records: int, rounds: int, seconds: int) -> Iterator[Section]:
    """Measure what is wanted, part by part."""
    CACHE.mkdir(exist_ok=True)
    lines = reading.OUTPUT / clients.TAP
    if wanted & {*_OF_THE_TAP, *_OF_ITS_OUTPUT}:
        programs = clients.install_tap()
        with serving(records) as server:
            parts = {
                "read": partial(reading.read, server, programs, records, rounds),
                "latency": partial(reading.read_slowly, server, programs, records, rounds),
                "start": partial(reading.start, programs),
                "memory": partial(reading.memory, server, programs),
            }
            yield from (parts[name]() for name in _OF_THE_TAP if name in wanted)
            if wanted & {*_OF_ITS_OUTPUT} and not lines.exists():
                reading.read_once(server, programs, records)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        others = {
            "target": partial(alerting.alert, BIN, place, lines, records, rounds),
            "backtest": partial(rehearsing.backtest, BIN, place, lines),
            "conditions": alerting.conditions,
            "send": partial(sending.send, BIN, place),
            "verify": partial(proving.prove, BIN, place, rounds),
            "callbacks": partial(hearing.hear, BIN, place, seconds),
            "webhook": partial(webhooking.webhook, BIN, place, rounds),
            "idle": partial(idling.idle, BIN, place),
        }
        yield from (measured() for name, measured in others.items() if name in wanted)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", choices=[*PARTS, "all"], default="all")
    parser.add_argument("--records", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=int, default=60, help="of callbacks")
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
        for section in sections(wanted, arguments.records, arguments.rounds, arguments.seconds):
            report.say(section)
            found.append(section)
    finally:
        shutil.rmtree(reading.OUTPUT, ignore_errors=True)
    if arguments.write:
        facts |= {"tap-visma": metadata.version("tap-visma"), **clients.versions()}
        report.write(found, facts, ROOT / "docs")


if __name__ == "__main__":
    main()
