"""The limit: a loop of requests and msgspec that keeps amounts exact and does nothing else.

Usage: bare_loop.py CONFIG; writes records as lines to standard output.
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

import msgspec
import requests

PAGE = 500


def main() -> None:
    config = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    api, auth = config.pop("api_url"), config.pop("auth_url")
    decode = msgspec.json.Decoder(float_hook=Decimal).decode
    encode = msgspec.json.Encoder(decimal_format="number").encode
    session = requests.Session()
    form = {"grant_type": "client_credentials", "client_secret": config["client_secret"]}
    token = session.post(auth, data=form, timeout=60).json()["access_token"]
    session.headers["Authorization"] = f"Bearer {token}"
    number, total = 1, 1
    while (number - 1) * PAGE < total:
        params = {"pageNumber": number, "pageSize": PAGE}
        answer = session.get(f"{api}/v1/supplierInvoice", params=params, timeout=60)
        for row in decode(answer.content):
            total = row.pop("metadata")["totalCount"]
            message = {"type": "RECORD", "stream": "supplier_invoices", "record": row}
            sys.stdout.buffer.write(encode(message) + b"\n")
        number += 1


if __name__ == "__main__":
    main()
