"""An idle `meltano run` beside one with two plugins that do nothing."""

from __future__ import annotations

import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

from measuring import ROOT, in_turns, measure
from report import Section, ratio_budget

from visma_twilio_sandbox import Sandbox, business

if TYPE_CHECKING:
    from pathlib import Path

_ROUNDS = 5
_MOST = 1.3
_OURS = ("tap-visma", "target-twilio-alerts")
_TRIVIAL = ("tap-trivial", "target-trivial")
_COPIED = (
    "alerts",
    "meltano.yml",
    "plugins",
    "requirements-dev.txt",
    "tap-visma",
    "target-twilio-alerts",
)


def idle(programs: Path, place: Path) -> Section:
    """Both, with nothing new to read.

    Args:
        programs: Where Meltano is installed.
        place: An empty folder.
    """
    project = project_in(place / "project")
    shutil.copytree(ROOT / "benchmarks" / "trivial", project / "trivial")
    jobs = {_TRIVIAL: project / "trivial", _OURS: project}
    with Sandbox(seed=1) as sandbox:
        business.history(sandbox.visma, documents=400, seed=1)
        environment = {
            **os.environ,
            **sandbox.settings(),
            "TARGET_TWILIO_ALERTS_LEDGER_URL": f"sqlite:///{place / 'idle.db'}",
        }
        meltano = [str(programs / "meltano"), "--environment=demo"]
        runs = {}
        for plugins, folder in jobs.items():
            measure([*meltano, "install", *plugins], cwd=folder, env=environment)
            run = partial(measure, [*meltano, "run", *plugins], cwd=folder, env=environment)
            run()
            runs[" ".join(plugins)] = run
        costs = in_turns(runs, _ROUNDS)
    trivial, ours = costs.values()
    return Section(
        "An idle meltano run",
        f"Everything was read before. Median of {_ROUNDS}.",
        ("plugins", "ratio", "wall, s", "CPU, s"),
        [
            (name, f"{cost.wall / trivial.wall:.2f}", f"{cost.wall:.2f}", f"{cost.cpu:.2f}")
            for name, cost in costs.items()
        ],
        [ratio_budget("an idle run against two trivial plugins", ours.wall / trivial.wall, _MOST)],
    )


def project_in(folder: Path) -> Path:
    """Copy what a Meltano project needs to a folder that does not exist yet; gives the folder."""
    folder.mkdir()
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns(".*", "tests"))
        else:
            shutil.copy2(source, folder / name)
    return folder
