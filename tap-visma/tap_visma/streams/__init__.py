"""Streams by business domain: data about list endpoints, and little else."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tap_visma.streams.general_ledger import (
    GeneralLedgerTransactions,
    JournalTransactions,
    Ledgers,
)
from tap_visma.streams.payables import SupplierInvoices, SupplierPayments
from tap_visma.streams.purchasing import PurchaseOrders
from tap_visma.streams.receivables import CustomerInvoices, CustomerPayments

if TYPE_CHECKING:
    from tap_visma.stream import VismaStream

STREAMS: tuple[type[VismaStream], ...] = (
    SupplierInvoices,
    SupplierPayments,
    CustomerInvoices,
    CustomerPayments,
    PurchaseOrders,
    JournalTransactions,
    Ledgers,
    GeneralLedgerTransactions,
)

__all__ = ["STREAMS"]
