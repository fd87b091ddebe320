"""What the company is owed: customer invoices and payments."""

from __future__ import annotations

from tap_visma.stream import VismaStream


class CustomerInvoices(VismaStream):
    """Customer invoices with their lines."""

    name = "customer_invoices"
    path = "/v1/customerinvoice"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")


class CustomerPayments(VismaStream):
    """Payments by customers; a payment and its void share a number, so the type is in the key."""

    name = "customer_payments"
    path = "/v1/customerPayment"
    primary_keys = ("tenant_id", "company", "type", "refNbr")
