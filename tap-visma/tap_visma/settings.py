"""The tap's settings: what they are, and how to read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from singer_sdk import typing as th

if TYPE_CHECKING:
    from collections.abc import Mapping

SETTINGS = th.PropertiesList(
    th.Property(
        "client_id",
        th.StringType,
        title="Client id",
        description="Of your service application in the Visma Developer Portal. Required, unless "
        "each of `companies` has its own.",
        examples=["isv_example"],
    ),
    th.Property(
        "client_secret",
        th.StringType,
        secret=True,
        title="Client secret",
        description="Of the same application. Required as `client_id` is.",
    ),
    th.Property(
        "tenant_id",
        th.StringType,
        title="Tenant id",
        description="The company's tenant id (a GUID), not the customer's: with that one every "
        "call answers 401. Required, unless there are `companies`.",
        examples=["11111111-1111-4111-8111-111111111111"],
    ),
    th.Property(
        "company",
        th.StringType,
        title="Company",
        description="What to call the company in records and alerts; the tenant id if it is not "
        "given. It is part of each key, so do not change it later.",
        examples=["Nordisk Demo AB"],
    ),
    th.Property(
        "company_id",
        th.StringType,
        title="Company id",
        description="Sent as the header `ipp-company-id`, which older integrations need. A wrong "
        "one may give empty answers instead of errors, so leave it out unless you need it.",
    ),
    th.Property(
        "companies",
        th.ArrayType(
            th.ObjectType(
                th.Property("name", th.StringType, required=True),
                th.Property("tenant_id", th.StringType, required=True),
                th.Property("company_id", th.StringType),
                th.Property("client_id", th.StringType),
                th.Property("client_secret", th.StringType, secret=True),
                additional_properties=False,
            ),
        ),
        secret=True,
        title="Companies",
        description="Several companies instead of one: a list of objects with `name` (what to call "
        "it, as `company`), `tenant_id` and, if it has its own, `company_id`, `client_id` and "
        "`client_secret`. Each has its own token, limits and bookmarks; one that fails stops no "
        "other.",
    ),
    th.Property(
        "start_date",
        th.StringType,
        title="Start date",
        description="Read nothing that was last modified before, in Visma's own clock. Without it "
        "the first run reads everything.",
        examples=["2026-01-01"],
    ),
    th.Property(
        "api_url",
        th.StringType,
        default="https://api.finance.visma.net",
        title="API URL",
        description="Address of the Visma.net ERP API, or of what stands in for it.",
    ),
    th.Property(
        "auth_url",
        th.StringType,
        default="https://connect.visma.com/connect/token",
        title="Auth URL",
        description="Visma Connect's token endpoint, or what stands in for it.",
    ),
    th.Property(
        "scope",
        th.StringType,
        default="vismanet_erp_service_api:read",
        title="Scope",
        description="Scopes to ask for, separated by spaces. Reading needs only the default.",
    ),
    th.Property(
        "lookback_seconds",
        th.IntegerType(minimum=0),
        default=3900,
        title="Lookback (seconds)",
        description="How far before the bookmark each read starts. The default covers the hour "
        "that summer time repeats; only the query overlaps, and what is read twice does no harm.",
    ),
    th.Property(
        "page_size",
        th.IntegerType(minimum=10, maximum=5000),
        default=500,
        title="Page size",
        description="Rows to ask for at a time. The API reduces it to its own maximum, and slow "
        "or failing answers make the tap halve it.",
    ),
    th.Property(
        "requests_in_flight",
        th.IntegerType(minimum=1, maximum=16),
        default=4,
        title="Requests in flight",
        description="How many pages of a company to ask for at the same time, once it is known how "
        "many there are.",
    ),
    th.Property(
        "parallel_companies",
        th.IntegerType(minimum=1, maximum=64),
        default=4,
        title="Parallel companies",
        description="How many companies to read at the same time.",
    ),
    th.Property(
        "stream_options",
        th.ObjectType(
            additional_properties=th.ObjectType(
                th.Property("page_size", th.IntegerType(minimum=10, maximum=5000)),
                th.Property("expand", th.ArrayType(th.StringType)),
                additional_properties=False,
            ),
        ),
        title="Stream options",
        description="By stream: `page_size`, and `expand`, a list of the endpoint's flags that add "
        'to its items, e.g. `{"supplier_invoices": {"page_size": 100, "expand": ["expandNote"]}}`. '
        "Flags make answers slow: ask only for what you need.",
    ),
    th.Property(
        "background_streams",
        th.ArrayType(th.StringType),
        title="Background streams",
        description="Streams to ask for in the background: for lists that last longer than the "
        "four minutes after which Visma ends a request, also with small pages. Slower, and each "
        "page costs several calls.",
        examples=[["general_ledger_transactions"]],
    ),
    th.Property(
        "lines",
        th.BooleanType,
        default=False,
        title="Lines",
        description="Give the lines of documents also as streams of their own, such as "
        "`supplier_invoice_lines`, with keys of their own.",
    ),
    th.Property(
        "detect_deletes_hours",
        th.IntegerType(minimum=0),
        default=0,
        title="Detect deletes (hours)",
        description="How often to compare each stream's keys, which takes a read of the whole "
        "stream, and to write a record with `_sdc_deleted_at` for each that is gone. 0 is never.",
        examples=[24],
    ),
    th.Property(
        "keys_file",
        th.StringType,
        default="tap-visma-keys.db",
        title="Keys file",
        description="Where `detect_deletes_hours` keeps the keys: an SQLite file, by its path from "
        "the Meltano project, or else from the working directory.",
    ),
    th.Property(
        "include_unposted",
        th.BooleanType,
        default=False,
        title="Include unposted",
        description="Have `general_ledger_transactions` include batches that are not posted.",
    ),
    th.Property(
        "include_unreleased",
        th.BooleanType,
        default=False,
        title="Include unreleased",
        description="Have `general_ledger_transactions` include batches that are not released.",
    ),
    th.Property(
        "first_financial_year",
        th.IntegerType(minimum=1900, maximum=2999),
        title="First financial year",
        description="Of `budgets`, which must be asked for by year; the latest that the company "
        "has, if neither year is given.",
        examples=[2025],
    ),
    th.Property(
        "last_financial_year",
        th.IntegerType(minimum=1900, maximum=2999),
        title="Last financial year",
        description="Of `budgets`; see `first_financial_year`.",
        examples=[2026],
    ),
    th.Property(
        "request_timeout_seconds",
        th.IntegerType(minimum=1, maximum=600),
        default=60,
        title="Request timeout (seconds)",
        description="How long to wait for an answer. Visma ends a request after four minutes.",
    ),
    th.Property(
        "max_wait_seconds",
        th.IntegerType(minimum=0),
        default=60,
        title="Maximum wait (seconds)",
        description="How long to wait for a rate limit. If it lasts longer, the run stops cleanly "
        "with its state, and the next one goes on.",
    ),
    th.Property(
        "rate_limit_reserve",
        th.IntegerType(minimum=0),
        default=0,
        title="Rate limit reserve",
        description="Calls to leave unused in each window, for other uses of the application.",
    ),
    th.Property(
        "user_agent",
        th.StringType,
        title="User agent",
        description="How the tap names itself to Visma; tap-visma and its version by default.",
    ),
).to_dict()

_PLACE = re.compile(r" in config\['(\w+)'\]")


def setting(config: Mapping[str, Any], name: str) -> Any:
    """A setting's value, or its default where it was left empty, as a line in `.env` may be."""
    value = config.get(name)
    if isinstance(value, str):
        value = value.strip()
    return SETTINGS["properties"][name].get("default") if value in (None, "") else value


def told_plainly(error: str) -> str:
    """What the SDK tells of a wrong setting, without its value: that may be a secret."""
    place = _PLACE.search(error)
    schema = SETTINGS["properties"].get(place[1]) if place else None
    if place is None or schema is None or "is not of type" not in error:
        return error
    if "string" in schema["type"]:
        return f"{place[1]}: must be text, in quotes"
    return f"{place[1]}: must be {' or '.join(set(schema['type']) - {'null'})}"
