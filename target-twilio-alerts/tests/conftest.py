"""A workplace for tests of the target: an alerts file, a ledger, the sandbox as providers."""

from __future__ import annotations

from contextlib import contextmanager

import discretion
import pytest
from busy_office import fill
from desk import Desk
from ledgers import Databases
from workplaces import made_workplace
from zygote import Zygote


@pytest.fixture(autouse=True)
def discreet(caplog):
    """What is logged in this process is looked at too."""
    yield
    discretion.check(caplog.text)


@pytest.fixture(scope="session")
def databases(request):
    """Makes databases; the server is started for the first one."""
    return Databases(lambda: request.getfixturevalue("postgres"))


@pytest.fixture
def database(request, tmp_path, databases):
    """The URL of a new ledger: a SQLite file, if a test does not say otherwise."""
    if getattr(request, "param", "sqlite") == "sqlite":
        yield f"sqlite:///{tmp_path / 'ledger.db'}"
        return
    url = databases.new()
    yield url
    databases.drop(url)


@pytest.fixture
def desk(tmp_path, database):
    """A target without its process."""
    desk = Desk(tmp_path, database)
    yield desk
    desk.ledger.close()


@pytest.fixture
def sandbox():
    from visma_twilio_sandbox import Sandbox  # noqa: PLC0415

    with Sandbox(seed=1) as running:
        yield running


@pytest.fixture(scope="session")
def zygote():
    with Zygote() as zygote:
        yield zygote


@pytest.fixture
def workplace(tmp_path, sandbox, database):
    return made_workplace(tmp_path, sandbox, database)


@pytest.fixture(scope="module")
def new_workplace(tmp_path_factory):
    """A workplace that tests of a file share."""
    from visma_twilio_sandbox import Sandbox  # noqa: PLC0415

    with Sandbox(seed=1) as running:
        yield made_workplace(tmp_path_factory.mktemp("workplace"), running)


@pytest.fixture(scope="session")
def rich(tmp_path_factory):
    """An office in whose ledger there is something of everything; look, and do not touch."""
    with filled_office(tmp_path_factory.mktemp("rich")) as office:
        yield office


@pytest.fixture(scope="session")
def rich_in_postgresql(tmp_path_factory, databases):
    """The same with its ledger in PostgreSQL."""
    url = databases.new()
    with filled_office(tmp_path_factory.mktemp("rich"), url) as office:
        yield office
    databases.drop(url)


@contextmanager
def filled_office(root, database=None):
    from office import Office  # noqa: PLC0415 - imports the package

    from visma_twilio_sandbox import Sandbox  # noqa: PLC0415

    with Sandbox(seed=1) as running:
        office = Office(made_workplace(root, running, database))
        fill(office)
        yield office
