"""A company's past: documents of every kind, of every size, over two years."""

from __future__ import annotations

import random
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from visma_twilio_sandbox.business.general_ledger import gl_journal
from visma_twilio_sandbox.business.parties import CUSTOMERS, RATES, SUPPLIERS
from visma_twilio_sandbox.business.payables import supplier_invoice, supplier_payment
from visma_twilio_sandbox.business.purchasing import purchase_order
from visma_twilio_sandbox.business.receivables import customer_invoice, customer_payment

if TYPE_CHECKING:
    from datetime import datetime

    from visma_twilio_sandbox.visma import VismaCompany

_LONGEST = timedelta(days=730)
_SHORTEST = timedelta(hours=1)
_OPEN_FOR = timedelta(days=60)
_WEIGHTS = {
    "supplierInvoice": 35,
    "supplierPayment": 20,
    "customerinvoice": 20,
    "customerPayment": 10,
    "purchaseorder": 8,
    "journaltransaction": 7,
}


def history(visma: VismaCompany, documents: int, seed: int) -> None:
    """Fill a company with documents written in the past two years.

    Args:
        visma: The company.
        documents: How many. The transactions of a journal are not counted.
        seed: Decides all of it.
    """
    chance = random.Random(f"history {seed}")  # noqa: S311
    now, span = visma.clock(), _LONGEST - _SHORTEST
    moments = sorted(now - _SHORTEST - chance.random() * span for _ in range(documents))
    kinds = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()), k=documents)
    for index, (kind, moment) in enumerate(zip(kinds, moments, strict=True)):
        _Writer(visma, chance, moment, index, is_old=now - moment > _OPEN_FOR).write(kind)


class _Writer:
    """Writes one document of the past."""

    def __init__(
        self,
        visma: VismaCompany,
        chance: random.Random,
        moment: datetime,
        index: int,
        *,
        is_old: bool,
    ) -> None:
        self._visma = visma
        self._chance = chance
        self._moment = moment
        self._day = moment.date()
        self._index = index
        self._is_old = is_old

    def write(self, kind: str) -> None:
        if kind == "journaltransaction":
            self._journal()
            return
        item = {
            "supplierInvoice": self._supplier_invoice,
            "supplierPayment": self._supplier_payment,
            "customerinvoice": self._customer_invoice,
            "customerPayment": self._customer_payment,
            "purchaseorder": self._purchase_order,
        }[kind]()
        self._visma.put(kind, item, at=self._moment)

    def _supplier_invoice(self) -> dict[str, object]:
        return supplier_invoice(
            number=str(100_001 + self._index),
            amount=self._amount(),
            currency=self._currency(),
            status="Closed" if self._is_old else self._chance.choice(("Balanced", "Open", "Hold")),
            date=self._day,
            supplier=self._chance.choice(SUPPLIERS),
            document_type=self._chance.choices(("Invoice", "DebitAdj"), (19, 1))[0],
        )

    def _supplier_payment(self) -> dict[str, object]:
        return supplier_payment(
            number=str(500_001 + self._index),
            amount=self._amount(),
            currency=self._currency(),
            status="Closed" if self._is_old else self._chance.choice(("Open", "Closed")),
            date=self._day,
            supplier=self._chance.choice(SUPPLIERS),
        )

    def _customer_invoice(self) -> dict[str, object]:
        return customer_invoice(
            number=str(300_001 + self._index),
            amount=self._amount(),
            currency=self._currency(),
            status="Closed" if self._is_old else self._chance.choice(("Balanced", "Open")),
            date=self._day,
            customer=self._chance.choice(CUSTOMERS),
            document_type=self._chance.choices(("Invoice", "CreditNote"), (19, 1))[0],
        )

    def _customer_payment(self) -> dict[str, object]:
        return customer_payment(
            number=str(400_001 + self._index),
            amount=self._amount(),
            status="Closed" if self._is_old else "Open",
            date=self._day,
            customer=self._chance.choice(CUSTOMERS),
        )

    def _purchase_order(self) -> dict[str, object]:
        return purchase_order(
            number=f"{200_001 + self._index}",
            total=self._amount(),
            currency=self._currency(),
            status="Closed" if self._is_old else self._chance.choice(("Open", "Hold", "Balanced")),
            date=self._day,
            supplier=self._chance.choice(SUPPLIERS),
        )

    def _journal(self) -> None:
        journal, transactions = gl_journal(
            number=f"GL{self._index:07}",
            amount=self._amount(),
            date=self._day,
            lines=self._chance.choice((2, 2, 3, 5, 12)),
        )
        self._visma.put("journaltransaction", journal, at=self._moment)
        for transaction in transactions:
            self._visma.put("GeneralLedgerTransactions", transaction, at=self._moment)

    def _amount(self) -> Decimal:
        """From some hundred to some million, with cents."""
        digits = self._chance.choice((5, 6, 6, 7, 7, 8, 9))
        return Decimal(self._chance.randrange(10 ** (digits - 1), 10**digits)).scaleb(-2)

    def _currency(self) -> str:
        return self._chance.choices(list(RATES), (16, 1, 1, 1, 1))[0]
