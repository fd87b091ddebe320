"""Serves supplier invoices far faster than any client reads them: ready bytes, a raw protocol.

The address says what is served: `http://127.0.0.1:PORT/RECORDS/MILLISECONDS` is a company with so
many invoices whose every page takes so long. One page of the sandbox's own documents is the
template; other pages differ in their reference numbers.

Usage: server.py [--ready RECORDS]; prints its port, and ends with its standard input.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
from datetime import date, timedelta
from decimal import Decimal
from email.utils import formatdate
from functools import cache
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qs, urlsplit

import requests

from visma_twilio_sandbox import Sandbox, business, credentials

if TYPE_CHECKING:
    from collections.abc import Callable

    from visma_twilio_sandbox.business.parts import Item

PAGE = 500
"""Rows of a page, the tap's own default."""

_MARK = b"@PAGE"
_TOTAL = b'"totalCount":%d' % PAGE
_DAY = date(2026, 11, 20)
_LINES = (1, 1, 1, 2, 3, 4)
_LIMIT = 10_000_000
_TOKEN = json.dumps({"access_token": "bench", "token_type": "Bearer", "expires_in": 3600}).encode()


def invoices() -> list[Item]:
    """A page of invoices, of one to four lines, in the sandbox's words."""
    chance = random.Random("bench")  # noqa: S311
    found = []
    for number in range(PAGE):
        item = business.supplier_invoice(
            number=f"{_MARK.decode()}{number:03d}",
            amount=Decimal(chance.randrange(10_000, 4_000_000)).scaleb(-2),
            status=chance.choice(("Balanced", "Open", "Closed")),
            date=_DAY - timedelta(days=chance.randrange(300)),
            supplier=chance.choice(business.SUPPLIERS),
        )
        lines = chance.choice(_LINES)
        item["invoiceLines"] = [
            {**item["invoiceLines"][0], "lineNumber": line + 1} for line in range(lines)
        ]
        found.append(item)
    return found


def template() -> bytes:
    """The page as the sandbox sends it."""
    with Sandbox(seed=1) as sandbox:
        sandbox.visma.max_page_size["supplierInvoice"] = PAGE
        for item in invoices():
            sandbox.visma.put("supplierInvoice", item)
        form = {
            "grant_type": "client_credentials",
            "client_id": credentials.CLIENT_ID,
            "client_secret": credentials.CLIENT_SECRET,
            "tenant_id": credentials.TENANT_ID,
            "scope": "vismanet_erp_service_api:read",
        }
        with requests.Session() as session:
            token = session.post(sandbox.connect_url, data=form, timeout=10).json()
            answer = session.get(
                f"{sandbox.visma_url}/v1/supplierInvoice",
                params={"pageNumber": 1, "pageSize": PAGE},
                headers={"Authorization": f"Bearer {token['access_token']}"},
                timeout=60,
            )
            answer.raise_for_status()
    return answer.content


class Pages:
    """The pages of companies of any size."""

    def __init__(self) -> None:
        self._template = template()
        self._ready: dict[tuple[int, int], bytes] = {}
        self._sized = cache(self._with_total)

    def prepare(self, records: int) -> None:
        """Make a company's pages now."""
        for number in range(1, records // PAGE + 1):
            self._ready[records, number] = self._made(records, number)

    def get(self, records: int, number: int) -> bytes:
        """A page's bytes; empty after the last one."""
        return self._ready.get((records, number)) or self._made(records, number)

    def _made(self, records: int, number: int) -> bytes:
        if not 0 < number <= records // PAGE:
            return b"[]"
        return self._sized(records).replace(_MARK, b"%05d" % number)

    def _with_total(self, records: int) -> bytes:
        return self._template.replace(_TOTAL, b'"totalCount":%d' % records)


class Api(asyncio.Protocol):
    """One connection.

    Args:
        pages: What is served.
        count: Called for each page.
    """

    def __init__(self, pages: Pages, count: Callable[[int], int]) -> None:
        self._pages = pages
        self._count = count
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep where to write."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer when a request is whole."""
        self._received += data
        head, end, body = self._received.partition(b"\r\n\r\n")
        if not end:
            return
        lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:])
        if len(body) < int(headers.get("content-length", 0)):
            return
        self._received = b""
        self._answer(lines[0].split()[1], headers)

    def _answer(self, target: str, headers: dict[str, str]) -> None:
        url = urlsplit(target)
        parts = url.path.strip("/").lower().split("/")
        if parts == ["calls"]:
            self._send(200, b"%d" % self._count(0))
        elif parts == ["connect", "token"]:
            self._send(200, _TOKEN)
        elif headers.get("authorization") != "bearer bench":
            self._send(401, b'{"message":"Unauthorized"}')
        elif parts[2:] != ["v1", "supplierinvoice"]:
            self._send(404, b'{"message":"Not found"}')
        else:
            asked = {name.lower(): values[0] for name, values in parse_qs(url.query).items()}
            if int(asked.get("pagesize", PAGE)) != PAGE:
                self._send(400, b'{"message":"Every client asks for pages of one size here."}')
                return
            body = self._pages.get(int(parts[0]), int(asked.get("pagenumber", 1)))
            self._count(1)
            seconds = int(parts[1]) / 1000
            asyncio.get_running_loop().call_later(seconds, self._send, 200, body)

    def _send(self, status: int, body: bytes) -> None:
        head = (
            f"HTTP/1.1 {status} OK\r\n"
            f"Date: {formatdate(usegmt=True)}\r\n"
            "Content-Type: application/json; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\n"
            f"X-RateLimit-Limit: {_LIMIT}\r\n"
            f"X-RateLimit-Remaining: {_LIMIT - 1}\r\n"
            "X-RateLimit-Reset: 3600\r\n"
            "X-RateLimit-Policy: 4-fixed-window\r\n\r\n"
        )
        self._transport.write(head.encode())
        self._transport.write(body)


class Count:
    """Pages served since the last time somebody asked."""

    def __init__(self) -> None:
        self._pages = 0

    def __call__(self, more: int) -> int:
        """Add to it; zero tells it and starts anew."""
        if more:
            self._pages += more
            return self._pages
        told, self._pages = self._pages, 0
        return told


async def serve(pages: Pages) -> None:
    """Serve until standard input ends."""
    loop = asyncio.get_running_loop()
    count = Count()
    server = await loop.create_server(lambda: Api(pages, count), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", type=int, default=0, help="make the pages of so many records")
    arguments = parser.parse_args()
    pages = Pages()
    pages.prepare(arguments.ready)
    asyncio.run(serve(pages))


if __name__ == "__main__":
    main()
