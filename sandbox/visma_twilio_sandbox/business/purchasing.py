"""Purchase orders."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from visma_twilio_sandbox.business.parties import BASE_CURRENCY, RATES, SUPPLIERS, Party
from visma_twilio_sandbox.business.parts import (
    BRANCH,
    ZERO,
    Item,
    day,
    in_base,
    numbered,
    today,
    without_vat,
)


def purchase_order(
    number: str,
    total: Decimal,
    *,
    currency: str = BASE_CURRENCY,
    status: str = "Open",
    date: dt.date | None = None,
    supplier: Party = SUPPLIERS[0],
    order_type: str = "RegularOrder",
) -> Item:
    """A purchase order over one line; `total` is with VAT, in `currency`."""
    date = date or today()
    return {
        "orderType": order_type,
        "orderNbr": number,
        "status": status,
        "hold": status == "Hold",
        "date": day(date),
        "promisedOn": day(date + dt.timedelta(days=14)),
        "description": "Bord och stolar",
        "supplier": numbered(supplier),
        "location": {"id": 1, "name": "Primary Location"},
        "owner": {"id": "5f0c3a52-0000-4000-8000-000000000001", "name": "Anna Berg"},
        "currency": currency,
        "exchangeRate": RATES[currency],
        "branch": BRANCH,
        "purchaseReceipts": [],
        **purchase_order_totals(total, currency),
    }


def purchase_order_totals(total: Decimal, currency: str = BASE_CURRENCY) -> Item:
    """The fields of a purchase order that go with its total, its only line included."""
    net, vat = without_vat(total)
    return {
        "lineTotal": net,
        "lineTotalInBaseCurrency": in_base(net, currency),
        "taxTotal": vat,
        "taxTotalInBaseCurrency": in_base(vat, currency),
        "orderTotal": total,
        "orderTotalInBaseCurrency": in_base(total, currency),
        "controlTotal": total,
        "controlTotalInBaseCurrency": in_base(total, currency),
        "openBalance": net,
        "openQuantity": Decimal(10),
        "lines": [
            {
                "lineNbr": 1,
                "lineType": "NonStock",
                "inventory": {"number": "ITEM-1", "description": "Stol"},
                "warehouse": {"id": "10", "description": "Jönköping - Sverige"},
                "uom": "ST",
                "orderQty": Decimal(10),
                "qtyOnReceipts": ZERO,
                "unitCost": net / 10,
                "extCost": net,
                "amount": net,
                "completed": False,
                "canceled": False,
            },
        ],
    }
