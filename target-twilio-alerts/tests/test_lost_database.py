"""PostgreSQL that is away, refuses, or is lost in mid-run: one clear line, and nothing is lost."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from ledgers import Databases, check_chain
from office import Office
from postgresql import execute, running_postgres, stop_at_once
from singer import baseline, invoice, record, schema, state
from waiting import until
from zygote import RAISED, Step

from target_twilio_alerts.delivery import steps
from target_twilio_alerts.delivery.callback_urls import CallbackUrls
from target_twilio_alerts.delivery.channels import Accepted
from target_twilio_alerts.delivery.dispatcher import Dispatcher
from target_twilio_alerts.delivery.pace import Rates
from target_twilio_alerts.ledger import Ledger, LedgerError, LedgerLostError, runs

LATER = "2026-11-20T11:00:00"
PASSWORD = "hunter2-and-more"


@pytest.fixture(scope="module")
def server(postgres):
    """A server that tests may stop, with a clerk who needs a password."""
    with running_postgres() as own:
        rules = own.pgdata / "pg_hba.conf"
        text = rules.read_text(encoding="utf-8")
        rules.write_text(f"local all clerk scram-sha-256\n{text}", encoding="utf-8")
        execute(own, f"CREATE ROLE clerk LOGIN PASSWORD '{PASSWORD}'", "SELECT pg_reload_conf()")
        yield own


@pytest.fixture(scope="module")
def own_databases(server):
    return Databases(lambda: server)


@pytest.fixture
def database(own_databases):
    url = own_databases.new()
    yield url
    own_databases.drop(url)


@contextmanager
def started_again(server):
    """Whatever happens, the server is there afterwards."""
    try:
        yield
    finally:
        server.ensure_postgres_running()


@contextmanager
def away(server):
    with started_again(server):
        stop_at_once(server)
        yield


def cut(server, url):
    """Break every connection to a ledger."""
    name = sa.make_url(url).database
    every = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname"
    execute(server, f"{every} = '{name}'")


def lines(number="1"):
    return schema() + record(invoice(number, 75000, stamp=LATER)) + state(LATER)


def errors(ended):
    assert "Traceback" not in ended.stderr
    return [line for line in ended.stderr.splitlines() if "ERROR" in line]


def states(workplace):
    return [found for (found,) in workplace.query("SELECT state FROM messages")]


def test_what_is_wrong_with_the_url_is_one_line_without_the_password(database, server):
    right = sa.make_url(database).set(username="clerk", password=PASSWORD)
    cases = {
        "password authentication failed": right.set(password=PASSWORD[:-1]),
        'database "nowhere" does not exist': right.set(database="nowhere"),
        'role "nobody" does not exist': right.set(username="nobody"),
        "permission denied": right,
        "Connection refused": right.set(query={}, host="127.0.0.1", port=1),
        "No such file or directory": right.update_query_dict({"host": "/no/such/place"}),
        "invalid connection option": right.update_query_dict({"pasword": PASSWORD}),
    }
    for said, url in cases.items():
        with pytest.raises(LedgerError, match=said) as caught:
            Ledger(url.render_as_string(hide_password=False))
        told = str(caught.value)
        assert told.startswith("ledger_url postgresql+psycopg://")
        assert "; check host, user, password and database" in told
        assert PASSWORD[:-1] not in told
        assert "\n" not in told


def test_a_database_that_cannot_hold_every_text_is_refused(database, server):
    execute(server, "CREATE DATABASE old ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    url = sa.make_url(database).set(database="old").render_as_string(hide_password=False)
    with pytest.raises(LedgerError, match="is encoded in SQL_ASCII, which cannot hold every text"):
        Ledger(url)


def test_without_its_driver_it_says_what_to_install():
    script = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from target_twilio_alerts.ledger import Ledger\n"
        "Ledger('postgresql://user@host/db')"
    )
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert "pip install 'target-twilio-alerts[postgres]'" in ended.stderr.splitlines()[-1]


def test_the_target_and_the_command_say_it_in_one_line(workplace, zygote, database):
    wrong = sa.make_url(database).set(username="clerk", password=PASSWORD[:-1])
    workplace.config["ledger_url"] = wrong.render_as_string(hide_password=False)
    ended = zygote.run(workplace, lines(), code=2)
    (error,) = errors(ended)
    assert "password authentication failed" in error
    assert ended.stdout == ""
    told = workplace.command("audit", code=1)
    assert told.startswith("Error: ledger_url postgresql+psycopg://clerk:***@")
    assert PASSWORD[:-1] not in ended.stderr + told


@pytest.mark.parametrize("state", ["claimed", "sending", "accepted"])
def test_a_connection_that_breaks_in_a_step_of_a_message_is_made_anew(
    workplace, zygote, server, database, state
):
    zygote.run(workplace, baseline())
    running = zygote.start(workplace, lines(), die=Step("commit", 1, state, signal.SIGSTOP))
    until(running.is_stopped)
    cut(server, database)
    running.go_on()
    ended = running.wait()
    assert ended.code == 0, ended.stderr
    assert "Waiting for the ledger" in ended.stderr
    assert len(workplace.accepted) == 1
    assert states(workplace) == ["accepted"]
    check_chain(database)


def test_a_connection_that_breaks_in_a_group_ends_the_run_and_the_next_goes_on(
    workplace, zygote, server, database
):
    zygote.run(workplace, baseline())
    running = zygote.start(workplace, lines(), die=Step("commit", 1, RAISED, signal.SIGSTOP))
    until(running.is_stopped)
    cut(server, database)
    running.go_on()
    ended = running.wait()
    assert ended.code == 2
    (error,) = errors(ended)
    assert "the next run goes on from there" in error
    assert ended.stdout == ""
    assert workplace.query("SELECT count(*) FROM alerts") == [(0,)]

    assert LATER in zygote.run(workplace, lines()).stdout
    assert len(workplace.accepted) == 1
    check_chain(database)


def test_a_server_that_comes_back_is_told_what_was_accepted_meanwhile(
    workplace, zygote, server, database
):
    zygote.run(workplace, baseline())
    workplace.sandbox.faults.add("twilio", delay=0.3, method="POST")
    running = zygote.start(workplace, lines())
    until(lambda: workplace.sandbox.requests("twilio"))
    with away(server):
        until(lambda: workplace.accepted)
    ended = running.wait()
    assert ended.code == 0, ended.stderr
    assert states(workplace) == ["accepted"]
    check_chain(database)


def test_a_server_that_is_lost_while_the_tap_is_read_ends_the_run_and_the_next_goes_on(
    workplace, zygote, server, database
):
    process = workplace.start()
    process.stdin.write(baseline().encode())
    process.stdin.flush()
    assert b"bookmarks" in process.stdout.readline()
    with away(server):
        process.stdin.write(lines().encode())
        out, err = process.communicate()
    assert process.returncode == 2, err.decode()
    assert out == b""
    ended = subprocess.CompletedProcess([], 2, "", err.decode())
    (error,) = errors(ended)
    assert "the next run goes on from there" in error
    assert workplace.accepted == []

    zygote.run(workplace, lines())
    assert len(workplace.accepted) == 1
    check_chain(database)


@pytest.fixture
def impatient(monkeypatch):
    """Nobody waits long for a database that is away."""
    monkeypatch.setattr(steps, "PATIENCE_SECONDS", 0.1)


def test_a_server_that_stays_away_leaves_a_message_unknown_and_its_sid_in_the_log(
    workplace, zygote, server, impatient, caplog
):
    office = Office(workplace)
    office.alert(invoice("1", 75000))
    ledger = Ledger(workplace.config["ledger_url"])
    delivering = Dispatcher(
        ledger,
        {"sms": TakesTheLast(server)},
        run=runs.start(ledger, command="test", version="0", body={}),
        max_in_flight=1,
        callbacks=CallbackUrls(None),
        rates=Rates(),
    )
    with started_again(server):
        delivering.start()
        with pytest.raises(LedgerLostError):
            delivering.finish(deadline_seconds=20, more=())
        ledger.close()
    assert "message_accepted (SM1) could not be written down" in caplog.text
    assert states(workplace) == ["sending"]

    workplace.query("UPDATE runs SET ended_at = started_at")
    zygote.command(workplace, "deliver").wait()
    assert states(workplace) == ["unknown"]
    assert workplace.accepted == []


class TakesTheLast:
    """A channel whose provider takes a message just when the database is lost."""

    def __init__(self, server):
        self._server = server

    def sender_of(self, _to):
        return "+46701740600"

    def send(self, _message):
        stop_at_once(self._server)
        return Accepted("SM1", "queued", None, None)


def test_a_command_whose_database_is_lost_ends_in_one_line(workplace, server, database):
    office = Office(workplace)
    office.alert(invoice("1", 75000))
    with away(server):
        told = workplace.command("deliver", code=1)
    assert told.startswith("Error: ledger_url postgresql+psycopg://")
    assert len(told.splitlines()) == 1
    assert states(workplace) == ["pending"]
