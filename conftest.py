"""For every test of the workspace: chance, the contracts, and a PostgreSQL server."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("same each time", derandomize=True, deadline=None, database=None)
settings.load_profile("same each time")


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are processors: tests also wait for clocks and for processes."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(scope="session")
def contracts():
    """The folder of the providers' API contracts; without it a test skips, and in CI it fails."""
    default = Path(__file__).parents[1] / "shared" / "contracts"
    folder = Path(os.environ.get("CONTRACTS_DIR", default))
    if not folder.is_dir():
        reason = f"no API contracts in {folder}: set CONTRACTS_DIR"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


@pytest.fixture(scope="session")
def postgres():
    """A real PostgreSQL server, started for the first test that wants one."""
    from postgresql import running_postgres  # noqa: PLC0415

    with running_postgres() as server:
        yield server
