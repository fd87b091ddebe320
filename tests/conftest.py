"""A project with its plugins installed, shared by tests; each has its own sandbox and ledger."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from projects import Project, copy_to, script
from warehouses import Warehouse

from visma_twilio_sandbox import Sandbox


@pytest.fixture(scope="session")
def project_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("projects") / "our finance alerts"
    copy_to(folder)
    ended = subprocess.run(
        [script("meltano"), "install"],
        cwd=folder,
        env={**os.environ, "MELTANO_DATABASE_URI": "sqlite://"},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder


@pytest.fixture
def sandbox():
    with Sandbox(seed=11) as running:
        yield running


@pytest.fixture
def project(project_folder, tmp_path, sandbox):
    return Project.of(project_folder, tmp_path, sandbox)


@pytest.fixture
def warehouse(postgres, tmp_path):
    """A database of its own for each test."""
    return Warehouse(postgres, tmp_path.name)


@pytest.fixture(scope="session")
def singer_tools(tmp_path_factory):
    """An environment with singer-tools, which needs a jsonschema of 2017 for itself."""
    folder = tmp_path_factory.mktemp("singer") / "venv"
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [script("uv"), "pip", "install", "--quiet", "--python", python, "singer-tools==0.4.1"],
        check=True,
    )
    return folder / "bin"
