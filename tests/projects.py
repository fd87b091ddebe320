"""A Meltano project like a customer's: a copy of this one, in a place with a space in its name."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PARTS = (
    "alerts",
    "meltano.yml",
    "plugins",
    "requirements-dev.txt",
    "scripts",
    "tap-visma",
    "target-twilio-alerts",
)


def script(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def copy_to(folder: Path) -> None:
    """Copy what a Meltano project needs, and nothing that a run has made."""
    folder.mkdir(parents=True)
    made = shutil.ignore_patterns("__pycache__", ".*", "tests", "*.db")
    for name in PARTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=made)
        else:
            shutil.copy2(source, folder / name)


@dataclass
class Project:
    """The environment `prod` of a project, set up by environment variables alone."""

    folder: Path
    place: Path
    sandbox: Any
    variables: dict[str, str]

    @classmethod
    def of(cls, folder: Path, place: Path, sandbox: Any) -> Project:
        variables = {
            **sandbox.settings(),
            "MELTANO_DATABASE_URI": f"sqlite:///{place / 'meltano.db'}",
            "TARGET_TWILIO_ALERTS_LEDGER_URL": f"sqlite:///{place / 'ledger.db'}",
        }
        return cls(folder, place, sandbox, variables)

    def meltano(self, *arguments: str, code: int | None = 0, **variables: str) -> Any:
        """Run Meltano; without a code any end will do."""
        ended = subprocess.run(
            [script("meltano"), *arguments],
            cwd=self.folder,
            env=self._environment(variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        assert code is None or ended.returncode == code, ended.stdout + ended.stderr
        return ended

    def run(self, *plugins: str, code: int | None = 0, **variables: str) -> Any:
        """The main job, or another one."""
        return self.meltano(
            "run", *(plugins or ("tap-visma", "target-twilio-alerts")), code=code, **variables
        )

    def started(self, **variables: str) -> subprocess.Popen[bytes]:
        """The main job, at work; what it says goes to a file."""
        with (self.place / "started.log").open("wb") as log:
            return subprocess.Popen(
                [script("meltano"), "run", "tap-visma", "target-twilio-alerts"],
                cwd=self.folder,
                env=self._environment(variables),
                stdout=log,
                stderr=log,
            )

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        inherited = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("MELTANO", "TAP_", "TARGET_"))
        }
        return {**inherited, **self.variables, **variables}

    def trail(self) -> list[dict[str, Any]]:
        """What the audit tells."""
        told = self.meltano("invoke", "target-twilio-alerts:audit", "--format", "jsonl").stdout
        return [json.loads(line) for line in told.splitlines() if line.startswith("{")]

    def known_documents(self) -> int:
        connection = sqlite3.connect(self.place / "ledger.db")
        try:
            return connection.execute("SELECT count(*) FROM documents").fetchone()[0]
        finally:
            connection.close()
