"""An Airbyte source as its builder makes them: a declarative stream, read concurrently.

Usage: airbyte_read.py CONFIG SCHEMA; writes Airbyte messages to standard output.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from airbyte_cdk.entrypoint import launch
from airbyte_cdk.models import ConfiguredAirbyteCatalogSerializer
from airbyte_cdk.sources.declarative.concurrent_declarative_source import (
    ConcurrentDeclarativeSource,
)

PAGE = 500
STREAM = "supplier_invoices"


def manifest(schema: dict[str, Any]) -> dict[str, Any]:
    """The source."""
    stream = {
        "type": "DeclarativeStream",
        "name": STREAM,
        "primary_key": ["documentType", "referenceNumber"],
        "schema_loader": {"type": "InlineSchemaLoader", "schema": schema},
        "retriever": {
            "type": "SimpleRetriever",
            "record_selector": {
                "type": "RecordSelector",
                "extractor": {"type": "DpathExtractor", "field_path": []},
            },
            "requester": {
                "type": "HttpRequester",
                "url_base": "{{ config['api_url'] }}",
                "path": "/v1/supplierInvoice",
                "http_method": "GET",
                "authenticator": {
                    "type": "OAuthAuthenticator",
                    "token_refresh_endpoint": "{{ config['auth_url'] }}",
                    "grant_type": "client_credentials",
                    "client_id": "{{ config['client_id'] }}",
                    "client_secret": "{{ config['client_secret'] }}",
                },
            },
            "paginator": {
                "type": "DefaultPaginator",
                "page_token_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "pageNumber",
                },
                "page_size_option": {
                    "type": "RequestOption",
                    "inject_into": "request_parameter",
                    "field_name": "pageSize",
                },
                "pagination_strategy": {
                    "type": "PageIncrement",
                    "page_size": PAGE,
                    "start_from_page": 1,
                    "inject_on_first_request": True,
                },
            },
        },
    }
    return {
        "version": "7.0.0",
        "type": "DeclarativeSource",
        "check": {"type": "CheckStream", "stream_names": [STREAM]},
        "streams": [stream],
        "spec": {
            "type": "Spec",
            "connection_specification": {
                "type": "object",
                "additionalProperties": True,
                "properties": {},
            },
        },
    }


def main() -> None:
    config, schema = sys.argv[1:]
    catalog = {
        "streams": [
            {
                "stream": {
                    "name": STREAM,
                    "json_schema": {},
                    "supported_sync_modes": ["full_refresh"],
                },
                "sync_mode": "full_refresh",
                "destination_sync_mode": "overwrite",
            },
        ],
    }
    source = ConcurrentDeclarativeSource(
        catalog=ConfiguredAirbyteCatalogSerializer.load(catalog),
        config=json.loads(Path(config).read_text(encoding="utf-8")),
        state=[],
        source_config=manifest(json.loads(Path(schema).read_text(encoding="utf-8"))),
    )
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(catalog, file)
        file.flush()
        launch(source, ["read", "--config", config, "--catalog", file.name])


if __name__ == "__main__":
    main()
