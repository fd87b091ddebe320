"""The server of all comparisons, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVER = Path(__file__).with_name("server.py")
PAGE = 500


class Server:
    """A running server.

    Args:
        url: Its address.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    def config(self, records: int, milliseconds: int = 0) -> dict[str, Any]:
        """Settings to read so many invoices, with so much latency a page."""
        return {
            "client_id": "bench",
            "client_secret": "not-a-secret",
            "tenant_id": "11111111-1111-4111-8111-111111111111",
            "company": "Nordisk Demo AB",
            "api_url": f"{self._url}/{records}/{milliseconds}",
            "auth_url": f"{self._url}/connect/token",
            "page_size": PAGE,
        }

    def calls(self) -> int:
        """Pages served since this was asked last."""
        with urlopen(f"{self._url}/calls") as answer:  # noqa: S310 - our own
            return int(answer.read())


@contextmanager
def serving(ready: int) -> Iterator[Server]:
    """A server, with the pages of so many invoices made beforehand."""
    command = [sys.executable, str(_SERVER), "--ready", str(ready)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdout is None or not (port := process.stdout.readline()):
            sys.exit("the server did not start")
        yield Server(f"http://127.0.0.1:{int(port)}")
        process.communicate()
