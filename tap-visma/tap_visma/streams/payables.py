"""What the company owes: supplier invoices and payments."""

from __future__ import annotations

from tap_visma.stream import VismaStream


class SupplierInvoices(VismaStream):
    """Supplier invoices with their lines; also credit notes, adjustments and prepayments."""

    name = "supplier_invoices"
    path = "/v1/supplierInvoice"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")


class SupplierPayments(VismaStream):
    """Payments to suppliers, and what they are applied to."""

    name = "supplier_payments"
    path = "/v1/supplierPayment"
    primary_keys = ("tenant_id", "company", "type", "refNbr")
