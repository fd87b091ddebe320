"""Many rows at once: a few items made in full, and of each as many as are wanted by other keys."""

from __future__ import annotations

import datetime as dt
import random
from decimal import Decimal
from typing import TYPE_CHECKING

from visma_twilio_sandbox.business.general_ledger import gl_journal
from visma_twilio_sandbox.business.parties import CUSTOMERS, RATES, SUPPLIERS
from visma_twilio_sandbox.business.payables import supplier_invoice, supplier_payment
from visma_twilio_sandbox.business.purchasing import purchase_order
from visma_twilio_sandbox.business.receivables import customer_invoice, customer_payment
from visma_twilio_sandbox.visma import schema_items
from visma_twilio_sandbox.visma.manners import BUSINESS
from visma_twilio_sandbox.visma.rows import Body

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from visma_twilio_sandbox.visma.endpoints import Endpoint
    from visma_twilio_sandbox.visma.rows import Item

_PATTERNS = 16
_FIRST_NUMBER = 1_000_000
_DAYS = 700


def first_rows(endpoint: Endpoint, chance: random.Random) -> int:
    """How many rows of an endpoint a new company has."""
    if endpoint.stored_as in BUSINESS:
        return 0
    if endpoint.shape == "object":
        return 1
    return {"ledger": 2, "financialPeriod": 24}.get(endpoint.name, chance.randrange(3, 8))


def rows(endpoint: Endpoint, seed: str, first: int, count: int) -> Iterator[tuple[Body, Item]]:
    """What rows say: most of it in common with others, and what tells them apart.

    Args:
        endpoint: The endpoint.
        seed: Of the company.
        first: How many were made before.
        count: How many are made now.
    """
    whole, identity = _MAKERS.get(endpoint.stored_as, (None, None))
    patterns: dict[int, tuple[Body, Item]] = {}
    for index in range(first, first + count):
        which = index % _PATTERNS
        own = identity(index) if identity else schema_items.identity(endpoint, index)
        if which not in patterns:
            item = whole(seed, which) if whole else schema_items.item(endpoint, seed, which)
            own_before = {name: item[name] for name in own if name in item}
            common = {name: value for name, value in item.items() if name not in own}
            patterns[which] = (Body(common), own_before)
        body, before = patterns[which]
        yield body, schema_items.merged(before, own)


def _of_chance(make: Callable[[random.Random], Item]) -> Callable[[str, int], Item]:
    return lambda seed, index: make(random.Random(f"made {seed} {index}"))  # noqa: S311


def _amount(chance: random.Random) -> Decimal:
    digits = chance.choice((5, 6, 6, 7, 7, 8, 9))
    return Decimal(chance.randrange(10 ** (digits - 1), 10**digits)).scaleb(-2)


def _date(chance: random.Random) -> dt.date:
    return dt.date(2024, 1, 1) + dt.timedelta(days=chance.randrange(_DAYS))


def _currency(chance: random.Random) -> str:
    return chance.choices(list(RATES), (16, 1, 1, 1, 1))[0]


def _supplier_invoice(chance: random.Random) -> Item:
    return supplier_invoice(
        "1",
        _amount(chance),
        currency=_currency(chance),
        status=chance.choice(("Balanced", "Open", "Closed")),
        date=_date(chance),
        supplier=chance.choice(SUPPLIERS),
    )


def _supplier_payment(chance: random.Random) -> Item:
    supplier = chance.choice(SUPPLIERS)
    return supplier_payment("1", _amount(chance), date=_date(chance), supplier=supplier)


def _customer_invoice(chance: random.Random) -> Item:
    return customer_invoice(
        "1",
        _amount(chance),
        currency=_currency(chance),
        status=chance.choice(("Balanced", "Open", "Closed")),
        date=_date(chance),
        customer=chance.choice(CUSTOMERS),
    )


def _customer_payment(chance: random.Random) -> Item:
    customer = chance.choice(CUSTOMERS)
    return customer_payment("1", _amount(chance), date=_date(chance), customer=customer)


def _purchase_order(chance: random.Random) -> Item:
    return purchase_order(
        "1",
        _amount(chance),
        currency=_currency(chance),
        date=_date(chance),
        supplier=chance.choice(SUPPLIERS),
    )


def _journal(chance: random.Random) -> Item:
    lines = chance.choice((2, 2, 3, 5, 12))
    return gl_journal("1", _amount(chance), date=_date(chance), lines=lines)[0]


def _transaction(chance: random.Random) -> Item:
    _, transactions = gl_journal("1", _amount(chance), date=_date(chance))
    return {
        **transactions[chance.randrange(2)],
        "ledger": {"id": "1", "description": "Actual ledger"},
    }


def _ledger(_: str, index: int) -> Item:
    return {
        "internalId": index + 1,
        "number": str(index + 1),
        "description": "Report ledger" if index else "Actual ledger",
        "balanceType": "Report" if index else "Actual",
        "currencyId": "SEK",
        "consolidationSource": False,
        "branchAccounting": False,
        "postInterCompany": False,
    }


def _numbered(name: str) -> Callable[[int], Item]:
    return lambda index: {name: str(_FIRST_NUMBER + index)}


_MAKERS: dict[str, tuple[Callable[[str, int], Item], Callable[[int], Item]]] = {
    "supplierInvoice": (_of_chance(_supplier_invoice), _numbered("referenceNumber")),
    "supplierPayment": (_of_chance(_supplier_payment), _numbered("refNbr")),
    "customerinvoice": (_of_chance(_customer_invoice), _numbered("referenceNumber")),
    "customerPayment": (_of_chance(_customer_payment), _numbered("refNbr")),
    "purchaseorder": (_of_chance(_purchase_order), _numbered("orderNbr")),
    "journaltransaction": (_of_chance(_journal), _numbered("batchNumber")),
    "GeneralLedgerTransactions": (_of_chance(_transaction), _numbered("batchNumber")),
    "ledger": (_ledger, lambda index: {"internalId": index + 1, "number": str(index + 1)}),
}
