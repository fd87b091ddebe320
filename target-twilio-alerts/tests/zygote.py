"""Targets forked from one process that has imported everything: hundreds of runs in seconds.

Run as a script it is that process: it takes orders as JSON lines on its standard input, and forks
a target, or the command ``twilio-alerts``, for each. It may be told to kill or stop itself at a
step, most often a transaction of its ledger: at the ``commit`` number n, before anything of it is
on disk, or at the ``checkin`` number n, when the connection is given back after it; of all
transactions, or of those that bring a message into a state, raise an alert, write a digest, take a
step of an escalation or bring the ledger up to date. Other steps are the ``statement`` number n,
the ``definition`` number n (a statement that defines a table, as migrations do), and the STATE
number n, ``before state`` is written or ``after state`` is out.
"""

from __future__ import annotations

import gc
import itertools
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import discretion
import psutil

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from typing_extensions import Self


RAISED, DIGEST, ESCALATED, MIGRATED = "raised", "digest", "escalated", "migrated"

_BRINGS = {
    "INSERT INTO alerts": RAISED,
    "INSERT INTO digest_contents": DIGEST,
    "UPDATE escalations SET": ESCALATED,
    "INSERT INTO alembic_version": MIGRATED,
    "UPDATE alembic_version": MIGRATED,
}
"""What a transaction with such a statement brings, beside the states of messages."""

_DEFINES = ("CREATE ", "ALTER ", "DROP ", "INSERT INTO _alembic_tmp")


@dataclass(frozen=True)
class Step:
    """Where a process is to die, or to be stopped until somebody lets it go on."""

    event: str
    number: int = 1
    state: str | None = None
    signal: int = signal.SIGKILL


@dataclass(frozen=True)
class Ended:
    """How a forked target ended; the code of one that was killed is -9."""

    code: int
    stdout: str
    stderr: str


class Running:
    """A forked target at work."""

    def __init__(self, zygote: subprocess.Popen[str], folder: Path) -> None:
        self._zygote = zygote
        self._folder = folder
        self.pid: int = _answer(zygote)["pid"]

    def kill(self) -> None:
        """End it as a power cut would, if it has not ended."""
        self._ask("kill")

    def has_ended(self) -> bool:
        """Whether it came to its end by itself."""
        return self._ask("look") is not None

    def wait(self) -> Ended:
        """Wait for its end."""
        code = self._ask("wait")
        assert code is not None
        written = [(self._folder / name).read_text("utf-8") for name in ("stdout", "stderr")]
        discretion.check(*written)
        return Ended(code, *written)

    def is_stopped(self) -> bool:
        """Whether it has met a step at which it stops."""
        return psutil.Process(self.pid).status() == psutil.STATUS_STOPPED

    def stop(self) -> None:
        """Stop it wherever it is."""
        os.kill(self.pid, signal.SIGSTOP)
        while not self.is_stopped():
            pass

    def go_on(self) -> None:
        """Let it go on that is stopped."""
        os.kill(self.pid, signal.SIGCONT)

    def _ask(self, what: str) -> int | None:
        _order(self._zygote, {what: self.pid})
        code: int | None = _answer(self._zygote)["code"]
        return code


class Zygote:
    """Forks targets; a context manager."""

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._process.communicate()

    def start(
        self, workplace: Any, lines: str, *, die: Step | None = None, changes: Sequence[str] = ()
    ) -> Running:
        """Start a target of this workplace over these lines.

        Args:
            workplace: Where it works.
            lines: Its standard input.
            die: Where it is to die.
            changes: What is otherwise in this process, by names of `torture.changes`.
        """
        folder: Path = workplace.root
        (folder / "stdin").write_text(lines, encoding="utf-8")
        return self._fork(workplace, [], die, changes)

    def command(
        self,
        workplace: Any,
        *arguments: str,
        die: Step | None = None,
        changes: Sequence[str] = (),
    ) -> Running:
        """Start ``twilio-alerts``."""
        (workplace.root / "stdin").write_text("", encoding="utf-8")
        return self._fork(workplace, list(arguments), die, changes)

    def _fork(
        self, workplace: Any, arguments: list[str], die: Step | None, changes: Sequence[str]
    ) -> Running:
        order = {
            "folder": str(workplace.root),
            "config": str(workplace.config_file()),
            "arguments": arguments,
            "die": vars(die) if die else None,
            "changes": list(changes),
        }
        _order(self._process, order)
        return Running(self._process, workplace.root)

    def run(self, workplace: Any, lines: str, *, code: int = 0) -> Ended:
        """Run a target of this workplace over these lines."""
        ended = self.start(workplace, lines).wait()
        assert ended.code == code, ended.stderr
        return ended


def _order(process: subprocess.Popen[str], order: dict[str, Any]) -> None:
    assert process.stdin is not None
    process.stdin.write(json.dumps(order) + "\n")
    process.stdin.flush()


def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    answer: dict[str, Any] = json.loads(process.stdout.readline())
    return answer


def _serve() -> None:
    import sqlite3  # noqa: F401, PLC0415 - imported once, for every target

    import alembic.command  # noqa: F401, PLC0415
    import psycopg  # noqa: F401, PLC0415
    import sqlalchemy.dialects.postgresql.psycopg  # noqa: PLC0415
    import sqlalchemy.dialects.sqlite.pysqlite  # noqa: F401, PLC0415

    import target_twilio_alerts.cli  # noqa: PLC0415
    import target_twilio_alerts.target  # noqa: F401, PLC0415

    gc.freeze()
    codes: dict[int, int] = {}
    for line in iter(sys.stdin.readline, ""):
        order = json.loads(line)
        if "folder" in order:
            pid = os.fork()
            if pid == 0:
                _become_target(order)
            answer = {"pid": pid}
        else:
            ((what, pid),) = order.items()
            answer = {"code": _look_after(pid, what, codes)}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _look_after(pid: int, what: str, codes: dict[int, int]) -> int | None:
    """Kill, wait for or look at a child; gives its code once it has ended."""
    if pid not in codes:
        if what == "kill":
            os.kill(pid, signal.SIGKILL)
        ended, status = os.waitpid(pid, os.WNOHANG if what == "look" else 0)
        if ended:
            codes[pid] = os.waitstatus_to_exitcode(status)
    return codes.get(pid)


def _become_target(order: dict[str, Any]) -> None:
    from target_twilio_alerts.cli import main  # noqa: PLC0415
    from target_twilio_alerts.target import TargetTwilioAlerts  # noqa: PLC0415

    folder = Path(order["folder"])
    os.chdir(folder)
    writing = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for fd, (name, flags) in enumerate(
        [("stdin", os.O_RDONLY), ("stdout", writing), ("stderr", writing)]
    ):
        opened = os.open(folder / name, flags)
        os.dup2(opened, fd)
        os.close(opened)
    if order["changes"]:
        from torture import changes  # noqa: PLC0415 - of the target, which is imported now

        for name in order["changes"]:
            changes.make(name)
    if order["die"]:
        _die_at(Step(**order["die"]))
    try:
        program = main if order["arguments"] else TargetTwilioAlerts.cli
        program(["--config", order["config"], *order["arguments"]])
    except SystemExit as end:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(end.code if isinstance(end.code, int) else int(end.code is not None))


def _die_at(step: Step) -> None:
    numbers = itertools.count(1)

    def meet() -> None:
        if next(numbers) == step.number:
            # To this very thread: it must not come further.
            signal.pthread_kill(threading.get_ident(), step.signal)

    if step.event.endswith(" state"):
        _meet_at_state(step.event, meet)
    elif step.event in {"statement", "definition"}:
        _meet_at_statements(step.event, meet)
    else:
        _meet_at_transactions(step, meet)


def _meet_at_state(event: str, meet: Callable[[], None]) -> None:
    from target_twilio_alerts.target import TargetTwilioAlerts  # noqa: PLC0415

    write = TargetTwilioAlerts._write_state_message

    def meeting(target: Any, state: Any) -> None:
        if event == "before state":
            meet()
        write(target, state)
        if event == "after state":
            meet()

    TargetTwilioAlerts._write_state_message = meeting  # type: ignore[method-assign]


def _meet_at_statements(event: str, meet: Callable[[], None]) -> None:
    import sqlalchemy as sa  # noqa: PLC0415

    def look(_connection: Any, _cursor: Any, statement: str, *_: object) -> None:
        if event == "statement" or statement.lstrip().startswith(_DEFINES):
            meet()

    sa.event.listen(sa.engine.Engine, "before_cursor_execute", look)


def _meet_at_transactions(step: Step, meet: Callable[[], None]) -> None:
    import sqlalchemy as sa  # noqa: PLC0415

    def end(where: Any, record: Any = None) -> None:
        brought = (record or where).info.pop("brings", ())
        if step.state is None or step.state in brought:
            meet()

    def look(connection: Any, _cursor: Any, statement: str, given: Any, *_: object) -> None:
        brings = next((one for begins, one in _BRINGS.items() if statement.startswith(begins)), "")
        if statement.startswith("UPDATE messages SET state="):
            brings = given["state"] if isinstance(given, dict) else given[0]
        if brings:
            connection.info.setdefault("brings", set()).add(brings)

    known = sa.engine.Engine if step.event == "commit" else sa.pool.Pool
    sa.event.listen(known, step.event, end)
    sa.event.listen(sa.engine.Engine, "before_cursor_execute", look)


if __name__ == "__main__":
    _serve()
