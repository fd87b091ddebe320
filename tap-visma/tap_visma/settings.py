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
        required=True,
        title="Client id",
        description="Of your service application in the Visma Developer Portal.",
        examples=["isv_example"],
    ),
    th.Property(
        "client_secret",
        th.StringType,
        required=True,
        secret=True,
        title="Client secret",
        description="Of the same application.",
    ),
    th.Property(
        "tenant_id",
        th.StringType,
        required=True,
        title="Tenant id",
        description="The company's tenant id (a GUID), not the customer's: with that one every "
        "call answers 401.",
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

_MISSING = re.compile(r"'(\w+)' is a required property")
_PLACE = re.compile(r" in config\['(\w+)'\]")


def setting(config: Mapping[str, Any], name: str) -> Any:
    """A setting's value, or its default where it was left empty, as a line in `.env` may be."""
    value = config.get(name)
    if isinstance(value, str):
        value = value.strip()
    return SETTINGS["properties"][name].get("default") if value in (None, "") else value


def told_plainly(error: str) -> str:
    """What the SDK tells of a wrong setting, without its value: that may be a secret."""
    if missing := _MISSING.match(error):
        return f"{missing[1]}: not set; set it (TAP_VISMA_{missing[1].upper()})"
    place = _PLACE.search(error)
    schema = SETTINGS["properties"].get(place[1]) if place else None
    if place is None or schema is None or "is not of type" not in error:
        return error
    if "string" in schema["type"]:
        return f"{place[1]}: must be text, in quotes"
    return f"{place[1]}: must be {' or '.join(set(schema['type']) - {'null'})}"
