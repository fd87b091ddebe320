"""Journals and their transactions in the general ledger."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

from visma_twilio_sandbox.business.parties import BASE_CURRENCY
from visma_twilio_sandbox.business.parts import BRANCH, CENT, ZERO, Item, day, period, today

if TYPE_CHECKING:
    import datetime as dt


def gl_journal(
    number: str,
    amount: Decimal,
    *,
    status: str = "Posted",
    date: dt.date | None = None,
    lines: int = 2,
) -> tuple[Item, list[Item]]:
    """A journal in the base currency, and its transactions in the general ledger.

    Args:
        number: Batch number.
        amount: Total of the debits, and of the credits.
        status: E.g. Unposted, Posted.
        date: Of the journal; today if not given.
        lines: How many; all but the last are debits.
    """
    date = date or today()
    share = (amount / (lines - 1)).quantize(CENT, ROUND_HALF_EVEN)
    debits = [share] * (lines - 2)
    debits.append(amount - sum(debits, ZERO))
    sides = [(debit, ZERO) for debit in debits] + [(ZERO, amount)]
    journal = {
        "module": "ModuleGL",
        "batchNumber": number,
        "status": status,
        "hold": status == "Hold",
        "transactionDate": day(date),
        "postPeriod": f"{date:%m%Y}",
        "financialPeriod": period(date),
        "ledger": "1",
        "ledgerDescription": "Actual ledger",
        "currencyId": BASE_CURRENCY,
        "exchangeRate": Decimal(1),
        "autoReversing": False,
        "reversingEntry": False,
        "description": "Periodisering",
        "debitTotal": amount,
        "debitTotalInCurrency": amount,
        "creditTotal": amount,
        "creditTotalInCurrency": amount,
        "controlTotal": amount,
        "controlTotalInCurrency": amount,
        "branch": "1",
        "journalTransactionLines": [
            {
                "lineNumber": line,
                "accountNumber": "5010" if debit else "2990",
                "description": "Lokalhyra" if debit else "Upplupna kostnader",
                "referenceNumber": number,
                "debitAmount": debit,
                "debitAmountInCurrency": debit,
                "creditAmount": credit,
                "creditAmountInCurrency": credit,
                "transactionDescription": "Periodisering",
                "branch": "1",
                "module": "ModuleGL",
            }
            for line, (debit, credit) in enumerate(sides, start=1)
        ],
    }
    transactions = [
        {
            "lineNumber": line,
            "module": "GL",
            "batchNumber": number,
            "tranDate": day(date),
            "period": period(date),
            "description": "Periodisering",
            "refNumber": number,
            "branch": BRANCH,
            "account": {
                "type": "Expense" if debit else "Liability",
                "number": "5010" if debit else "2990",
                "description": "Lokalhyra" if debit else "Upplupna kostnader",
            },
            "subaccount": "0-0",
            "debitAmount": debit,
            "creditAmount": credit,
            "currency": BASE_CURRENCY,
            "currDebitAmount": debit,
            "currCreditAmount": credit,
        }
        for line, (debit, credit) in enumerate(sides, start=1)
    ]
    return journal, transactions
