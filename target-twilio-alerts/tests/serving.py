"""``twilio-alerts serve`` as a process, and Twilio's requests to it, signed as Twilio signs."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discretion
import requests
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator

if TYPE_CHECKING:
    from collections.abc import Iterator

PUBLIC = "https://alerts.example.com"


class Served:
    """A server at work.

    Args:
        workplace: Whose settings it has.
        process: It.
    """

    def __init__(self, workplace: Any, process: subprocess.Popen[str]) -> None:
        self.workplace = workplace
        self.process = process
        self.log: list[str] = []
        self.url = self._address()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.session = requests.Session()
        self.session.trust_env = False

    def _address(self) -> str:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line)
            if found := re.search(r"Serving on (\S+)", line):
                return found[1]
        raise AssertionError("".join(self.log))

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.log.extend(self.process.stderr)

    def twilio(
        self,
        path: str,
        fields: dict[str, Any],
        *,
        signed_url: str | None = None,
        signature: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> requests.Response:
        """Post a form as Twilio does: signed over the public URL, if a test does not say more."""
        config = self.workplace.config
        fields = {"AccountSid": config["account_sid"], **fields}
        pairs = [
            (name, one)
            for name, value in fields.items()
            for one in (value if isinstance(value, list) else [value])
        ]
        if signature is None:
            url = signed_url or config["public_url"].rstrip("/") + path
            validator = RequestValidator(config["auth_token"])
            signature = validator.compute_signature(url, ImmutableMultiDict(pairs))
        return self.session.post(
            self.url + path,
            data=pairs,
            headers={"X-Twilio-Signature": signature, **(headers or {})},
            timeout=30,
        )

    def status(self, sid: str, status: str, **more: Any) -> int:
        """Tell the status of a message, as Twilio does; gives the answer's status."""
        message = more.pop("message", None)
        path = "/twilio/status" + (f"?message={message}" if message else "")
        names = (
            ("CallSid", "CallStatus") if sid.startswith("CA") else ("MessageSid", "MessageStatus")
        )
        return self.twilio(path, {names[0]: sid, names[1]: status, **more}).status_code

    def metric(self, name: str, **labels: str) -> float:
        """What a metric is at."""
        told = self.session.get(f"{self.url}/metrics", timeout=30).text
        wanted = ",".join(f'{key}="{value}"' for key, value in labels.items())
        found = re.search(rf"^{name}{{{wanted}}} (\S+)$", told, re.MULTILINE)
        return float(found[1]) if found else 0.0

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Tell it that it is enough; gives its exit code."""
        self.session.close()
        self.process.send_signal(number)
        code = self.process.wait(60)
        self._reader.join(60)
        return code


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def served(workplace: Any, *, port: int = 0, **config: Any) -> Iterator[Served]:
    """A server of a workplace; it must end well."""
    workplace.config |= {"public_url": PUBLIC, **config}
    process = subprocess.Popen(
        [
            str(Path(sys.executable).parent / "twilio-alerts"),
            *("--config", str(workplace.config_file()), "serve", "--port", str(port)),
        ],
        stderr=subprocess.PIPE,
        text=True,
        cwd=workplace.root,
        env={**os.environ},
    )
    try:
        server = Served(workplace, process)
        yield server
        if process.poll() is None:
            assert server.stop() == 0, "".join(server.log)
        discretion.check(*server.log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()
