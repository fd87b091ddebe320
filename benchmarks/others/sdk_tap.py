"""A plain SDK tap: a RESTStream as the SDK's template has it, with nothing tuned.

Usage: sdk_tap.py CONFIG SCHEMA; writes Singer messages to standard output.
"""

from __future__ import annotations

import json
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from singer_sdk import Tap
from singer_sdk.authenticators import OAuthAuthenticator
from singer_sdk.pagination import BasePageNumberPaginator
from singer_sdk.streams import RESTStream

if TYPE_CHECKING:
    import requests
    from singer_sdk.helpers.types import Context

PAGE = 500


class Connect(OAuthAuthenticator):
    """Client credentials."""

    @property
    def oauth_request_body(self) -> dict[str, Any]:
        """What to ask with."""
        return {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
        }


class Paginator(BasePageNumberPaginator):
    """Pages up to the total that each row tells."""

    def has_more(self, response: requests.Response) -> bool:
        """Whether a page follows."""
        rows = response.json()
        return bool(rows) and self.current_value * PAGE < rows[0]["metadata"]["totalCount"]


class SupplierInvoices(RESTStream[int]):
    """The invoices."""

    name = "supplier_invoices"
    path = "/v1/supplierInvoice"
    primary_keys = ("documentType", "referenceNumber")
    replication_key = "lastModifiedDateTime"

    @property
    def url_base(self) -> str:
        """Where the API is."""
        return str(self.config["api_url"])

    @cached_property
    def authenticator(self) -> Connect:
        """Signs requests."""
        return Connect(
            auth_endpoint=self.config["auth_url"],
            client_id=self.config["client_id"],
            client_secret=self.config["client_secret"],
        )

    def get_new_paginator(self) -> Paginator:
        """Begin at page 1."""
        return Paginator(1)

    def get_url_params(
        self,
        context: Context | None,  # noqa: ARG002
        next_page_token: int | None,
    ) -> dict[str, Any]:
        """Ask for a page."""
        return {"pageNumber": next_page_token or 1, "pageSize": PAGE}


class PlainTap(Tap):
    """The tap."""

    name = "tap-plain"

    def discover_streams(self) -> list[SupplierInvoices]:
        """Give the one stream."""
        schema = json.loads(Path(sys.argv[2]).read_text(encoding="utf-8"))
        return [SupplierInvoices(self, schema=schema)]


if __name__ == "__main__":
    PlainTap(config=json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))).sync_all()
