"""dlt's rest_api source, extracted to local files; nothing is normalised or loaded.

Usage: dlt_extract.py CONFIG SCHEMA FOLDER; the rows are under FOLDER.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import dlt
from dlt.sources.rest_api import rest_api_source

PAGE = 500


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    source = rest_api_source(
        {
            "client": {
                "base_url": f"{config['api_url']}/v1/",
                "auth": {
                    "type": "oauth2_client_credentials",
                    "access_token_url": config["auth_url"],
                    "client_id": config["client_id"],
                    "client_secret": config["client_secret"],
                },
                "paginator": {
                    "type": "page_number",
                    "base_page": 1,
                    "page_param": "pageNumber",
                    "total_path": None,
                },
            },
            "resources": [
                {
                    "name": "supplier_invoices",
                    "primary_key": ["documentType", "referenceNumber"],
                    "write_disposition": "merge",
                    "endpoint": {"path": "supplierInvoice", "params": {"pageSize": PAGE}},
                },
            ],
        },
    )
    folder = Path(sys.argv[3])
    pipeline = dlt.pipeline(
        pipeline_name="invoices",
        pipelines_dir=str(folder / "pipelines"),
        destination=dlt.destinations.filesystem(str(folder / "loaded")),
        dataset_name="visma",
    )
    pipeline.extract(source)


if __name__ == "__main__":
    main()
