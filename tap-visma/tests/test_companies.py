"""Several companies in one run: nothing of one is another's, and what fails fails alone."""

from __future__ import annotations

import json
import threading
from urllib.parse import parse_qs

import pytest
from tap_running import ENDPOINTS, KEYS, TapRunner, invoice, selecting

from tap_visma.errors import AccessError, LimitReachedError
from visma_twilio_sandbox import business, credentials

INVOICES = "supplier_invoices"
NAMES = ["Nord AB", "Syd AB", "Väst AB"]


class Companies(TapRunner):
    """Runs the tap for all companies of a sandbox, or for one."""

    def __init__(self, sandbox):
        super().__init__(sandbox)
        self.single = self.config
        self.config = {
            name: value
            for name, value in self.single.items()
            if name not in {"tenant_id", "company"}
        } | {"companies": sandbox.companies_setting()}

    def only(self, company, *streams, **options):
        one = TapRunner(self.sandbox)
        one.config = {**self.single, "tenant_id": company.tenant_id, "company": company.name}
        return one(*streams, **options)

    def changed(self, place, **fields):
        """The setting, with one company's entry changed."""
        setting = self.sandbox.companies_setting()
        setting[place] |= fields
        return setting


@pytest.fixture
def sandbox(make_sandbox):
    sandbox = make_sandbox(companies=NAMES)
    for place, company in enumerate(sandbox.companies):
        company.put("supplierInvoice", invoice("900001", f"{place + 1}000.00"))
    return sandbox


@pytest.fixture
def tap(sandbox):
    return Companies(sandbox)


def with_history(sandbox):
    for place, company in enumerate(sandbox.companies):
        business.history(company, documents=60, seed=place)
        company.max_page_size["supplierInvoice"] = 7


def of(records, company):
    return [one for one in records if one["tenant_id"] == company.tenant_id]


def in_order(records, stream):
    names = KEYS[ENDPOINTS[stream]]
    return sorted(records, key=lambda one: [str(one[name]) for name in ("tenant_id", *names)])


def entries(run, stream=INVOICES):
    """The bookmarks of a stream, by tenant id."""
    partitions = run.state["bookmarks"].get(stream, {}).get("partitions", [])
    return {one["context"]["tenant_id"]: one for one in partitions}


def errors(logged):
    return [one.getMessage() for one in logged.records if one.levelname == "ERROR"]


# Whose is what


def test_each_company_is_asked_with_its_own_token_and_its_records_say_whose_they_are(sandbox, tap):
    run = tap(INVOICES)
    assert run.failures == {}
    tenants = [one.tenant_id for one in sandbox.companies]
    asked = [parse_qs(one.body.decode())["tenant_id"] for one in sandbox.requests("connect")]
    assert sorted(asked) == sorted([one] for one in tenants)
    tokens = {(one.tenant, one.headers["authorization"]) for one in sandbox.requests("visma")}
    assert sorted(tenant for tenant, _ in tokens) == sorted(tenants)
    assert len({token for _, token in tokens}) == len(tenants)
    told = {one["company"]: one["amount"] for one in run.records(INVOICES)}
    assert told == {"Nord AB": 1000, "Syd AB": 2000, "Väst AB": 3000}


def test_a_company_may_have_a_client_and_a_company_id_of_its_own(sandbox, tap):
    sandbox.connect.clients["isv_other"] = "other-secret"
    south = sandbox.companies[1]
    own = {
        "client_id": "isv_other",
        "client_secret": "other-secret",
        "company_id": south.company_id,
    }
    assert tap(INVOICES, companies=tap.changed(1, **own)).failures == {}
    forms = [parse_qs(one.body.decode()) for one in sandbox.requests("connect")]
    clients = {one["tenant_id"][0]: one["client_id"][0] for one in forms}
    assert [clients[one.tenant_id] for one in sandbox.companies] == [
        credentials.CLIENT_ID,
        "isv_other",
        credentials.CLIENT_ID,
    ]
    sent = {one.tenant: one.headers.get("ipp-company-id") for one in sandbox.requests("visma")}
    assert [sent[one.tenant_id] for one in sandbox.companies] == [None, south.company_id, None]


def test_a_wrong_company_id_is_warned_of_with_the_companys_name(tap, logged):
    run = tap("ledgers", companies=tap.changed(2, company_id="7654321"))
    assert run.failures == {}
    warnings = [one.getMessage() for one in logged.records if one.levelname == "WARNING"]
    what = "the company has none, which no company has: check tenant_id and company_id"
    assert warnings == [f"ledgers (Väst AB): {what}"]


# Limits


def test_a_company_whose_limit_is_used_up_stops_alone(sandbox, tap):
    with_history(sandbox)
    north = sandbox.companies[0]
    north.set_limit(2, window_seconds=3600)
    run = tap(INVOICES, "supplier_payments")
    assert run.failures == {}
    assert isinstance(run.stopped_by, LimitReachedError)
    assert "replication_key_value" not in entries(run)[north.tenant_id]
    for company in sandbox.companies[1:]:
        assert "replication_key_value" in entries(run)[company.tenant_id]
        assert "replication_key_value" in entries(run, "supplier_payments")[company.tenant_id]


def test_companies_that_visma_counts_as_one_leave_the_reserve_together(sandbox, tap):
    with_history(sandbox)
    sandbox.companies.share_limit(9, window_seconds=3600)
    run = tap(INVOICES, "ledgers", rate_limit_reserve=2)
    assert run.failures == {}
    assert isinstance(run.stopped_by, LimitReachedError)
    # Before its first answer a company cannot know that it shares.
    assert 6 <= len(sandbox.requests("visma")) <= 7
    assert all(one.status == 200 for one in sandbox.requests("visma"))


# At the same time


class Gate:
    """Holds pages until so many companies ask at once, and notes if more ever do."""

    def __init__(self, number):
        self.number = number
        self.most = 0
        self.together = threading.Event()
        self._inside = []
        self._one_too_many = threading.Event()
        self._lock = threading.Lock()

    def hook(self, company):
        def hold(endpoint, page):
            with self._lock:
                self._inside.append(company.tenant_id)
                self.most = max(self.most, len(set(self._inside)))
                is_last = not self.together.is_set() and self.most == self.number
                if self.most > self.number:
                    self._one_too_many.set()
            if is_last:
                self._one_too_many.wait(0.3)  # another one would come by now
                self.together.set()
            self.together.wait(5)
            with self._lock:
                self._inside.remove(company.tenant_id)

        return hold


@pytest.mark.parametrize("at_once", [1, 2, 3])
def test_as_many_companies_are_read_at_once_as_the_setting_says(make_sandbox, at_once):
    sandbox = make_sandbox(companies=5)
    gate = Gate(at_once)
    for company in sandbox.companies:
        company.make("supplierInvoice", 30)
        company.max_page_size["supplierInvoice"] = 10
        company.on_page = gate.hook(company)
    run = Companies(sandbox)(INVOICES, parallel_companies=at_once)
    assert run.failures == {}
    assert gate.together.is_set()
    assert gate.most == at_once
    assert len(run.records(INVOICES)) == 150


# What fails


def lasting(sandbox, **fault):
    sandbox.faults.add(times=None, tenant=sandbox.companies[1].tenant_id, **fault)


def wrong_tenant(sandbox, tap):
    wrong = "77777777-7777-4777-8777-777777777777"
    tap.config["companies"] = tap.changed(1, tenant_id=wrong)


def customers_tenant(sandbox, tap):
    tap.config["companies"] = tap.changed(1, tenant_id=credentials.CUSTOMER_TENANT_ID)


def no_token(sandbox, tap):
    lasting(sandbox, service="connect", status=503)


def wrong_secret(sandbox, tap):
    tap.config["companies"] = tap.changed(1, client_secret="wrong")


def forbidden(sandbox, tap):
    lasting(sandbox, service="visma", status=403)


def outage(sandbox, tap):
    lasting(sandbox, service="visma", status=503)


def cut_off(sandbox, tap):
    lasting(sandbox, service="visma", drop="before")


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (wrong_tenant, "invalid_tenant): check that tenant_id"),
        (customers_tenant, "401, twice): check that tenant_id"),
        (no_token, "Visma Connect answers 503"),
        (wrong_secret, "invalid_client): check client_id and client_secret"),
        (forbidden, "Visma.net answered 403"),
        (outage, "Visma.net answered 503"),
        (cut_off, "did not answer"),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_a_company_that_fails_is_named_and_stops_no_other(sandbox, tap, logged, trouble, told):
    trouble(sandbox, tap)
    streams = (INVOICES, "ledgers", "general_ledger_transactions")
    run = tap(*streams)
    assert set(run.failures) == {f"{stream} (Syd AB)" for stream in streams}
    assert all(told in str(error) for error in run.failures.values())
    assert errors(logged)
    for line in errors(logged):
        assert "Syd AB" in line
        assert "Nord AB" not in line
        assert "Väst AB" not in line
        assert "\n" not in line
        assert credentials.CLIENT_SECRET not in line
    if isinstance(run.failures[f"{INVOICES} (Syd AB)"], AccessError):
        assert len(errors(logged)) == 1
    assert {one["company"] for one in run.records(INVOICES)} == {"Nord AB", "Väst AB"}
    for company in (sandbox.companies[0], sandbox.companies[2]):
        for stream in streams:
            assert "replication_key_value" in entries(run, stream)[company.tenant_id]
    assert "replication_key_value" not in entries(run).get(sandbox.companies[1].tenant_id, {})


def test_a_company_that_failed_makes_the_exit_code_and_is_in_the_last_line(sandbox, tap, tmp_path):
    wrong_secret(sandbox, tap)
    selected = tmp_path / "catalog.json"
    selected.write_text(json.dumps(selecting([INVOICES])), encoding="utf-8")
    ended = tap.process(tmp_path, "--catalog", str(selected))
    assert ended.returncode == 1
    assert "Not read to the end: supplier_invoices (Syd AB)" in ended.stderr.splitlines()[-1]
    assert "Traceback" not in ended.stderr
    records = [json.loads(one) for one in ended.stdout.splitlines() if '"RECORD"' in one]
    assert {one["record"]["company"] for one in records} == {"Nord AB", "Väst AB"}


def test_a_company_that_failed_catches_up_in_the_next_run(sandbox, tap):
    sandbox.faults.add("connect", status=400, tenant=sandbox.companies[1].tenant_id)
    first = tap(INVOICES)
    assert list(first.failures) == ["supplier_invoices (Syd AB)"]
    second = tap(INVOICES, state=first.state)
    assert second.failures == {}
    assert "Syd AB" in {one["company"] for one in second.records(INVOICES)}


# As if each were read alone


def test_a_run_gives_what_single_runs_give(sandbox, tap):
    with_history(sandbox)
    together = tap()
    assert together.failures == {}
    for company in sandbox.companies:
        alone = tap.only(company)
        for stream in ENDPOINTS:
            expected = in_order(alone.records(stream), stream)
            assert expected
            assert in_order(of(together.records(stream), company), stream) == expected
            kept = together.state["bookmarks"][stream]["partitions"]
            assert [one["context"] for one in of_tenant(kept, company)] == [
                one["context"] for one in alone.state["bookmarks"][stream]["partitions"]
            ]


def of_tenant(partitions, company):
    return [one for one in partitions if one["context"]["tenant_id"] == company.tenant_id]


def queries(sandbox, company, since):
    return {
        (one.path, dict(one.query).get("lastModifiedDateTime"))
        for one in sandbox.requests("visma")[since:]
        if one.tenant == company.tenant_id
    }


def test_the_state_of_a_run_for_all_is_good_for_a_run_for_one(sandbox, tap):
    with_history(sandbox)
    state = tap().state
    south = sandbox.companies[1]
    before = len(sandbox.requests("visma"))
    alone = tap.only(south, state=state)
    since_all = queries(sandbox, south, before)
    before = len(sandbox.requests("visma"))
    tap.only(south, state=tap.only(south).state)
    assert all(start is not None for path, start in since_all if "ledger" not in path)
    assert {path for path, _ in since_all} == {path for path, _ in queries(sandbox, south, before)}
    for company in sandbox.companies:
        if company is not south:
            assert entries(alone)[company.tenant_id] == state_entry(state, company)


def state_entry(state, company, stream=INVOICES):
    (found,) = of_tenant(state["bookmarks"][stream]["partitions"], company)
    return found


def test_the_state_of_a_run_for_one_is_good_for_a_run_for_all_and_the_others_begin(sandbox, tap):
    with_history(sandbox)
    north = sandbox.companies[0]
    state = tap.only(north, INVOICES).state
    north.put("supplierInvoice", invoice("new"))
    before = len(sandbox.requests("visma"))
    run = tap(INVOICES, state=state)
    assert run.failures == {}
    starts = {start for _, start in queries(sandbox, north, before)}
    assert None not in starts
    assert "new" in {one["referenceNumber"] for one in of(run.records(INVOICES), north)}
    for company in sandbox.companies[1:]:
        assert {start for _, start in queries(sandbox, company, before)} == {None}
        arrived = {one["referenceNumber"] for one in of(run.records(INVOICES), company)}
        assert arrived == {one["referenceNumber"] for one in company.all("supplierInvoice")}


def test_a_company_that_is_added_is_read_whole_and_as_a_backfill_only(sandbox, tap):
    with_history(sandbox)
    old, added = sandbox.companies[:2], sandbox.companies[2]
    setting = sandbox.companies_setting()
    state = tap(companies=setting[:2]).state
    added.set_limit(4, window_seconds=3600)  # a quarter is for what alerts wait for
    run = tap(companies=setting, state=state)
    assert run.failures == {}
    assert isinstance(run.stopped_by, LimitReachedError)
    assert "replication_key_value" not in entries(run)[added.tenant_id]
    for company in old:
        for stream in ENDPOINTS:
            assert "progress_markers" not in entries(run, stream)[company.tenant_id]
            assert entries(run, stream)[company.tenant_id]["replication_key_value"]
    added.set_limit(10_000, window_seconds=3600)
    last = tap(companies=setting, state=run.state)
    assert last.failures == {}
    assert last.stopped_by is None
    arrived = of(run.records(INVOICES) + last.records(INVOICES), added)
    assert {one["referenceNumber"] for one in arrived} == {
        one["referenceNumber"] for one in added.all("supplierInvoice")
    }


def test_a_company_that_is_left_out_keeps_its_bookmark(sandbox, tap):
    state = tap(INVOICES).state
    run = tap(INVOICES, companies=sandbox.companies_setting()[:1], state=state)
    south = sandbox.companies[1]
    assert entries(run)[south.tenant_id] == state_entry(state, south)
