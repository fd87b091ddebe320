"""Visma's webhooks: each lets the poll command run, one at a time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shlex
import sys

import pytest
from serving import served
from waiting import until

SECRET, HEADER = "visma-secret", "X-Visma-Signature"

COMMAND = """
import pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
number = len(list(folder.glob("began-*")))
(folder / f"began-{number}").touch()
while not (folder / f"end-{number}").exists():
    time.sleep(0.005)
print("told by the command")
sys.exit(int((folder / f"end-{number}").read_text()))
"""


class Command:
    """A poll command that ends when it is told to."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        (folder / "command.py").write_text(COMMAND, encoding="utf-8")
        self.line = shlex.join([sys.executable, str(folder / "command.py"), str(folder)])

    @property
    def began(self):
        return len(list(self.folder.glob("began-*")))

    def end(self, number, code=0):
        whole = self.folder / f"whole-{number}"
        whole.write_text(str(code), encoding="utf-8")
        whole.rename(self.folder / f"end-{number}")


@pytest.fixture
def command(tmp_path):
    return Command(tmp_path / "a folder")


def settings(command):
    return {
        "visma_webhook_secret": SECRET,
        "visma_webhook_header": HEADER,
        "poll_command": command.line,
        "public_url": None,
    }


def post(server, body, *, secret=SECRET, header=HEADER):
    signed = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
    url = f"{server.url}/visma/webhook"
    return server.session.post(url, data=body, headers={header: signed}, timeout=9).status_code


def ended(server, result):
    return server.metric("twilio_alerts_early_polls_total", result=result)


def test_a_burst_of_webhooks_makes_one_run_and_one_during_a_run_exactly_one_more(
    workplace, command
):
    with served(workplace, **settings(command)) as server:
        for number in range(5):
            assert post(server, json.dumps({"number": number}).encode()) == 204
        until(lambda: command.began == 1)
        for _ in range(3):
            assert post(server, b"[]") == 204
        assert command.began == 1
        command.end(0)
        until(lambda: command.began == 2)
        command.end(1, code=3)
        until(lambda: ended(server, "failed") == 1)
        assert ended(server, "ok") == 1
        # Nobody has asked since: the next one is that of the next webhook.
        assert post(server, b'"again"') == 204
        until(lambda: command.began == 3)
        command.end(2)
        until(lambda: ended(server, "ok") == 2)
    assert command.began == 3
    log = "".join(server.log)
    assert "poll_command ended with exit code 0" in log
    assert "poll_command ended with exit code 3" in log


ODD_BODIES = (
    b'{"amount": 1e400}',
    b'{"name": "\\ud800"}',
    b"\xef\xbb\xbf{}",
    b"[" * 5000 + b"]" * 5000,
    b"not JSON",
    b"\xff\0",
    b"",
)


def test_whatever_a_signed_webhook_says_it_makes_a_run(workplace, command):
    with served(workplace, **settings(command)) as server:
        for number, body in enumerate(ODD_BODIES):
            assert post(server, body) == 204
            command.end(number)
            until(lambda number=number: ended(server, "ok") == number + 1)


def test_forged_webhooks_and_what_is_too_long_run_nothing(workplace, command):
    with served(workplace, **settings(command)) as server:
        assert post(server, b"{}", secret="another") == 403
        assert post(server, b"{}", header="X-Other") == 403
        assert post(server, b'"' + b"x" * 1024 * 1024 + b'"') == 413
        counted = server.metric("twilio_alerts_requests_total", about="visma", result="forged")
        assert counted == 2
        # A signed one runs it, and it is the first run.
        assert post(server, b"{}") == 204
        until(lambda: command.began)
        assert command.began == 1
        command.end(0)
        until(lambda: ended(server, "ok") == 1)


def test_a_run_that_is_under_way_is_told_to_end_when_the_server_is(workplace, command):
    with served(workplace, **settings(command)) as server:
        assert post(server, b"{}") == 204
        until(lambda: command.began == 1)
        assert server.stop() == 0
    assert "poll_command ended with exit code -15" in "".join(server.log)


def test_a_command_that_is_gone_is_counted_and_the_server_goes_on(workplace, command, tmp_path):
    program = tmp_path / "poll"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    given = {**settings(command), "poll_command": str(program)}
    with served(workplace, **given) as server:
        program.unlink()
        assert post(server, b"{}") == 204
        until(lambda: ended(server, "failed") == 1)
        assert "poll_command cannot be run: No such file or directory" in "".join(server.log)
        assert server.session.get(f"{server.url}/healthz", timeout=9).status_code == 200
