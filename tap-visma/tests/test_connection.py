"""The connection check, `--test`: what it says of each company and list, asking little."""

from __future__ import annotations

import json
from urllib.parse import parse_qs

import pytest
from tap_running import TapRunner, invoice, selecting

from tap_visma.streams import STREAMS
from tap_visma.tap import TapVisma
from visma_twilio_sandbox import credentials
from visma_twilio_sandbox.visma.endpoints import ENDPOINTS

INVOICES = "supplier_invoices"
WRONG = "77777777-7777-4777-8777-777777777777"
READ = "vismanet_erp_service_api:read"
FINANCE = sum(stream.is_finance for stream in STREAMS)


class Check(TapRunner):
    """Runs the check in this process."""

    def __call__(self, *streams, **config):
        tap = TapVisma(
            config={**self.config, **config},
            catalog=selecting(streams) if streams else None,
        )
        lines = []
        is_ok = tap.check_connection(lines.append)
        return is_ok, lines

    def companies(self, *streams, entries=None, **config):
        """For all companies of the sandbox, or for these entries of the setting."""
        entries = entries or self.sandbox.companies_setting()
        return self(*streams, tenant_id=None, company=None, companies=entries, **config)


@pytest.fixture
def check(sandbox):
    return Check(sandbox)


def told_of(lines, stream):
    """The status and the text of a stream's only line."""
    (line,) = [one for one in lines if one.startswith(f"  {stream} ")]
    status, _, text = line.strip().removeprefix(stream).strip().partition("  ")
    return status, text.strip()


# What is right


def test_it_names_the_company_what_the_token_is_for_and_each_list(check):
    is_ok, lines = check(INVOICES, "ledgers")
    assert is_ok
    assert lines == [
        f"Nordisk Demo AB, tenant {credentials.TENANT_ID}",
        f"  token for {READ}",
        "  ledgers            ok",
        "  supplier_invoices  ok",
        "  2 of 2 can be read",
    ]


def test_what_the_token_is_for_is_what_visma_connect_answers(sandbox, check):
    _, lines = check(INVOICES, scope=f"{READ} vismanet_erp_service_api:update")
    assert lines[1] == f"  token for {READ} vismanet_erp_service_api:update"
    silent = json.dumps({"access_token": "t", "expires_in": 3600, "token_type": "Bearer"})
    sandbox.faults.add("connect", status=200, body=silent)
    _, lines = check(INVOICES)
    assert lines[1] == "  token for we are not told what"


def test_every_list_can_be_checked_with_one_request_that_asks_for_little(make_sandbox):
    for seed in range(2):
        sandbox = make_sandbox(seed)
        for _ in range(20):
            sandbox.visma.make("supplierInvoice", 20)
        is_ok, lines = Check(sandbox)(*(stream.name for stream in STREAMS))
        assert is_ok
        assert len(lines) == len(STREAMS) + 3
        requests = sandbox.requests("visma")
        extra = {"/v1/ledger", "/v1/branch", "/v1/financialPeriod"}  # what others are asked for
        paths = [one.path for one in requests if one.path not in extra]
        assert len(paths) == len(set(paths))
        assert len(requests) <= len(STREAMS) + len(extra)
        for one in requests:
            query = dict(one.query)
            if one.path not in extra:
                assert query.get("pageSize", "1") == "1"
        named = {endpoint.path for endpoint in ENDPOINTS.values()}
        assert set(paths) <= named


def test_without_a_catalog_it_checks_what_is_selected_by_default(check):
    is_ok, lines = check()
    assert is_ok
    checked = {one.split()[0] for one in lines[2:-1]}
    assert checked == {stream.name for stream in STREAMS if stream.is_finance}


def test_lists_in_parts_are_asked_for_one_part_that_is_named(check):
    is_ok, lines = check("general_ledger_transactions", "budgets")
    assert is_ok
    status, text = told_of(lines, "general_ledger_transactions")
    assert status == "ok"
    assert text.startswith("for ledger ")
    assert told_of(lines, "budgets")[1].startswith("for branch number ")


def test_several_companies_are_checked_each_by_its_name(make_sandbox):
    sandbox = make_sandbox(companies=["Nord AB", "Syd AB"])
    is_ok, lines = Check(sandbox).companies(INVOICES)
    assert is_ok
    heads = [one for one in lines if not one.startswith(" ")]
    assert heads == [f"{one.name}, tenant {one.tenant_id}" for one in sandbox.companies]
    assert lines.count("  1 of 1 can be read") == 2


# What is wrong


def test_a_403_names_what_to_check_and_the_others_are_checked(sandbox, check):
    sandbox.visma.forbidden.add("supplierInvoice")
    is_ok, lines = check()
    assert not is_ok
    status, text = told_of(lines, INVOICES)
    assert status == "403"
    assert text.startswith("Visma.net answered 403")
    assert ", request " in text
    assert "the token has the scope, so check the role of the API user" in text
    assert lines[-1] == f"  {FINANCE - 1} of {FINANCE} can be read"


def test_a_token_that_is_not_for_reading_is_told(check):
    is_ok, lines = check(INVOICES, scope="vismanet_erp_service_api:create")
    assert not is_ok
    assert lines[1].endswith(f"vismanet_erp_service_api:create, which lacks {READ}: check scope")
    status, text = told_of(lines, INVOICES)
    assert status == "403"
    assert "check that scope has vismanet_erp_service_api:read" in text


@pytest.mark.parametrize(
    ("fault", "status", "told"),
    [
        ({"status": 404}, "404", "the company may not have this part of Visma.net"),
        ({"status": 400}, "400", "the request was refused"),
        ({"status": 503}, "failed", "Visma.net answered 503"),
        ({"status": 200, "body": "<html>"}, "failed", "not a JSON list of objects"),
        ({"drop": "before"}, "failed", "did not answer"),
        ({"drop": "during"}, "failed", "broke off"),
    ],
    ids=str,
)
def test_another_error_is_one_line_of_that_list(sandbox, check, fault, status, told):
    sandbox.faults.add("visma", times=None, match="/v1/supplierPayment?", **fault)
    is_ok, lines = check(INVOICES, "ledgers", "supplier_payments")
    assert not is_ok
    found, text = told_of(lines, "supplier_payments")
    assert found == status
    assert told in text
    assert "\n" not in text
    assert told_of(lines, INVOICES) == ("ok", "")
    assert lines[-1] == "  2 of 3 can be read"


def test_what_passes_is_asked_for_once_more(sandbox, check):
    sandbox.faults.add("visma", status=503)
    assert check(INVOICES)[0]
    assert [one.status for one in sandbox.requests("visma")] == [503, 200]


def test_a_ledger_that_cannot_be_had_leaves_its_transactions_unchecked(sandbox, check):
    sandbox.visma.forbidden.add("ledger")
    is_ok, lines = check("general_ledger_transactions", INVOICES)
    assert not is_ok
    status, text = told_of(lines, "general_ledger_transactions")
    assert status == "not checked"
    assert text.startswith("what it must be asked for is not known: Visma.net answered 403")
    assert told_of(lines, INVOICES) == ("ok", "")


def test_a_wrong_company_id_shows_as_a_list_that_no_company_has_empty(check):
    is_ok, lines = check("ledgers", INVOICES, company_id="7654321")
    assert not is_ok
    told = "no company has none: check tenant_id and company_id"
    assert told_of(lines, "ledgers") == ("empty", told)


@pytest.mark.parametrize(
    ("tenant", "told"),
    [
        (WRONG, "  no token: Visma Connect gives no token (HTTP 400, invalid_tenant)"),
        (
            credentials.CUSTOMER_TENANT_ID,
            f"  {FINANCE} not checked: Visma.net refuses the token (401",
        ),
    ],
)
def test_a_company_that_cannot_be_read_is_told_once_and_the_next_is_checked(check, tenant, told):
    entries = [
        {"name": "Wrong AB", "tenant_id": tenant},
        {"name": "Right AB", "tenant_id": credentials.TENANT_ID},
    ]
    is_ok, lines = check.companies(entries=entries)
    assert not is_ok
    assert sum(one.startswith(told) for one in lines) == 1
    second = lines.index(f"Right AB, tenant {credentials.TENANT_ID}")
    assert second <= 4
    assert lines[-1] == f"  {FINANCE} of {FINANCE} can be read"


def test_an_address_where_nobody_answers_is_not_tried_for_each_list(check):
    is_ok, lines = check(api_url="http://127.0.0.1:1")
    assert not is_ok
    (line,) = [one for one in lines if "not checked" in one]
    assert "http://127.0.0.1:1 did not answer" in line
    assert lines[-1] == f"  0 of {FINANCE} can be read"


def test_it_keeps_to_the_limits(sandbox, check):
    sandbox.visma.set_limit(4, window_seconds=3600)
    is_ok, lines = check(rate_limit_reserve=1)
    assert not is_ok
    assert len(sandbox.requests("visma")) == 3
    assert f"{FINANCE - 3} not checked: Visma.net's rate limit lasts" in lines[-2]
    assert lines[-1] == f"  3 of {FINANCE} can be read"


# The command line


def test_the_exit_code_is_0_if_all_is_well_and_the_table_is_on_standard_output(check, tmp_path):
    ended = check.process(tmp_path, "--test")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.startswith("Nordisk Demo AB, tenant ")
    assert ended.stdout.endswith(f"{FINANCE} of {FINANCE} can be read\n")
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("order", [1, -1])
def test_a_catalog_says_what_to_check_in_whatever_order(sandbox, check, tmp_path, order):
    sandbox.faults.add("visma", status=403, times=None)
    file = tmp_path / "catalog.json"
    file.write_text(json.dumps(selecting([INVOICES])), encoding="utf-8")
    options = [["--test"], ["--catalog", str(file)]][::order]
    ended = check.process(tmp_path, *options[0], *options[1])
    assert ended.returncode == 1
    assert len(ended.stdout.splitlines()) == 4
    assert "supplier_invoices  403" in ended.stdout
    assert credentials.CLIENT_SECRET not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("option", ["--catalog", "--state"])
@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_file_that_is_no_json_object_is_told_in_one_line(check, tmp_path, option, text):
    file = tmp_path / "broken.json"
    file.write_text(text, encoding="utf-8")
    ended = check.process(tmp_path, option, str(file))
    assert ended.returncode == 1
    (line,) = [one for one in ended.stderr.splitlines() if "Error" in one]
    assert f"{file}: no JSON" in line
    assert "Traceback" not in ended.stderr


def test_an_unknown_kind_of_test_is_refused(check, tmp_path):
    ended = check.process(tmp_path, "--test=everything")
    assert ended.returncode == 2
    assert "'everything' is not one of 'all', 'schema'" in ended.stderr


def test_the_plain_tap_still_gives_records_which_meltanos_own_test_waits_for(
    sandbox, check, tmp_path
):
    sandbox.visma.put("supplierInvoice", invoice())
    ended = check.process(tmp_path)
    assert ended.returncode == 0
    assert any(json.loads(one)["type"] == "RECORD" for one in ended.stdout.splitlines())
    forms = [parse_qs(one.body.decode()) for one in sandbox.requests("connect")]
    assert len(forms) == 1
