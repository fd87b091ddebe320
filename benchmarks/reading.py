"""The tap beside the others: without latency, with it, at its start, and its memory."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import clients
from clients import AIRBYTE, BARE, DLT, ONE_AT_A_TIME, TAP
from measuring import CACHE, Cost, in_turns
from report import Budget, Section, ratio_budget
from serving import PAGE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from clients import Client
    from serving import Server

OUTPUT = CACHE / "output"
LATENCY = 200
SMALL, LARGE = 10_000, 1_000_000

_COLUMNS = (
    "client",
    "wall, in the tap's",
    "CPU, in the tap's",
    "wall, s",
    "CPU, s",
    "peak, MB",
    "records/s",
    "pages",
)
_MOST_OF = {DLT: 0.75, AIRBYTE: 0.6, BARE: 1.5}
_MOST_OF_ONE_AT_A_TIME = 0.4
_MOST_OF_IMPORT = 1.3
_MOST_MEGABYTES = 50
_STARTS = 11
_MEGABYTE = 1e6


def read(server: Server, programs: Path, records: int, rounds: int) -> Section:
    """All clients, as fast as they can."""
    entrants = [clients.tap(programs), *clients.others()]
    costs, pages = _race(server, entrants, records, 0, rounds)
    ours = costs[TAP].wall
    budgets = [
        ratio_budget(f"the tap's wall against {name}", ours / costs[name].wall, most)
        for name, most in _MOST_OF.items()
    ]
    size = (OUTPUT / BARE).stat().st_size / records
    return Section(
        f"{records:,} supplier invoices over local HTTP",
        f"The sandbox's own supplier invoices, {size:,.0f} bytes each as JSON, "
        f"{PAGE} a page, start of the program included. The bare loop is the "
        "limit: it keeps amounts exact, as the tap does, and checks, notes and retries nothing. "
        "dlt and Airbyte turn amounts into binary floats.",
        _COLUMNS,
        _rows(costs, pages, records),
        budgets,
        {name: cost.wall for name, cost in costs.items()},
    )


def read_slowly(server: Server, programs: Path, records: int, rounds: int) -> Section:
    """All clients, with latency in each page."""
    entrants = [clients.tap(programs), *clients.others()]
    prefetches = _knows(programs, "requests_in_flight")
    if prefetches:
        entrants.insert(1, clients.tap(programs, ONE_AT_A_TIME, requests_in_flight=1))
    costs, pages = _race(server, entrants, records, LATENCY, rounds)
    text = f"As before, but each page takes the server {LATENCY} ms, as real ones do and more. "
    if prefetches:
        ratio = costs[TAP].wall / costs[ONE_AT_A_TIME].wall
        text += "The tap asks for the next pages while it writes the ones before."
        budgets = [
            ratio_budget("pages ahead against one at a time", ratio, _MOST_OF_ONE_AT_A_TIME),
        ]
    else:
        text += "This tap asks for one page at a time."
        allowed = f"at most {_MOST_OF_ONE_AT_A_TIME}"
        budgets = [Budget("pages ahead against one at a time", "no such thing", allowed, met=False)]
    return Section(
        f"{records:,} supplier invoices with {LATENCY} ms of latency a page",
        text,
        _COLUMNS,
        _rows(costs, pages, records),
        budgets,
        {name: cost.wall for name, cost in costs.items()},
    )


def start(programs: Path) -> Section:
    """How long the tap takes to start."""
    bare: list[str | Path] = [programs / "python", "-c", "import singer_sdk"]
    runs = {
        "tap-visma --version": partial(clients.measured, [programs / "tap-visma", "--version"]),
        "python -c 'import singer_sdk'": partial(clients.measured, bare),
    }
    costs = in_turns(runs, _STARTS)
    ours, theirs = costs.values()
    ratio = ours.wall / theirs.wall
    return Section(
        "Start",
        f"Median of {_STARTS}.",
        ("command", "ratio", "wall, s", "CPU, s", "peak, MB"),
        [
            (
                name,
                f"{cost.wall / theirs.wall:.2f}",
                f"{cost.wall:.3f}",
                f"{cost.cpu:.3f}",
                f"{cost.peak / _MEGABYTE:.0f}",
            )
            for name, cost in costs.items()
        ],
        [ratio_budget("`--version` against importing the SDK", ratio, _MOST_OF_IMPORT)],
    )


def memory(server: Server, programs: Path, large: int = LARGE) -> Section:
    """The tap's peak memory, for few records and for many."""
    costs: dict[int, Cost] = {}
    tap = clients.tap(programs)
    for records in (SMALL, large):
        costs[records] = _checked(server, tap, records, 0, OUTPUT / "memory")
        (OUTPUT / "memory").unlink()
    more = (costs[large].peak - costs[SMALL].peak) / _MEGABYTE
    return Section(
        f"Memory from {SMALL:,} to {large:,} records",
        "The tap's peak resident memory; the server makes the pages while it serves them.",
        ("records", "peak of the first", "peak, MB", "wall, s", "records/s"),
        [
            (
                f"{records:,}",
                f"{cost.peak / costs[SMALL].peak:.2f}",
                f"{cost.peak / _MEGABYTE:.0f}",
                f"{cost.wall:.1f}",
                f"{records / cost.wall:,.0f}",
            )
            for records, cost in costs.items()
        ],
        [
            Budget(
                f"memory for {large:,} records over that for {SMALL:,}",
                f"{more:+.0f} MB",
                f"at most +{_MOST_MEGABYTES} MB",
                met=more <= _MOST_MEGABYTES,
            ),
        ],
    )


def read_once(server: Server, programs: Path, records: int) -> None:
    """The tap alone, for what it writes."""
    _checked(server, clients.tap(programs), records, 0, OUTPUT / TAP)


def _race(
    server: Server,
    entrants: Sequence[Client],
    records: int,
    milliseconds: int,
    rounds: int,
) -> tuple[dict[str, Cost], dict[str, int]]:
    """Costs and pages asked for, by name; ends the benchmark if one did not read everything."""
    OUTPUT.mkdir(parents=True, exist_ok=True)
    pages: dict[str, int] = {}

    def run(client: Client) -> Cost:
        cost = _checked(server, client, records, milliseconds, OUTPUT / client.name)
        pages[client.name] = server.calls()
        return cost

    server.calls()
    costs = in_turns({client.name: partial(run, client) for client in entrants}, rounds)
    return costs, pages


def _checked(
    server: Server,
    client: Client,
    records: int,
    milliseconds: int,
    output: Path,
) -> Cost:
    OUTPUT.mkdir(parents=True, exist_ok=True)
    cost = client.run(server.config(records, milliseconds), output)
    arrived = clients.distinct_invoices(output)
    if arrived != records:
        sys.exit(f"{client.name}: {arrived:,} of {records:,} invoices arrived")
    return cost


def _rows(
    costs: Mapping[str, Cost],
    pages: Mapping[str, int],
    records: int,
) -> list[tuple[str, ...]]:
    ours = costs[TAP]
    return [
        (
            name,
            f"{cost.wall / ours.wall:.2f}",
            f"{cost.cpu / ours.cpu:.2f}",
            f"{cost.wall:.2f}",
            f"{cost.cpu:.2f}",
            f"{cost.peak / _MEGABYTE:.0f}",
            f"{records / cost.wall:,.0f}",
            f"{pages[name]}",
        )
        for name, cost in costs.items()
    ]


def _knows(programs: Path, setting: str) -> bool:
    told = subprocess.run(
        [programs / "tap-visma", "--about", "--format=json"],
        capture_output=True,
        check=True,
    )
    return setting in json.loads(told.stdout)["settings"]["properties"]
