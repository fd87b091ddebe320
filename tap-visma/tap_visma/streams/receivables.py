"""What the company is owed: customers, their invoices, notes, payments and balances."""

from __future__ import annotations

from typing import ClassVar

from tap_visma.kinds import Filter, Lines, Paging
from tap_visma.stream import VismaStream

_EXPANDS = (
    "expandApplications",
    "expandDunningInformation",
    "expandAttachments",
    "expandTaxDetails",
    "expandInvoiceAddress",
)
"""What all documents of the customer ledger can be expanded by."""


class CustomerInvoices(VismaStream):
    """Customer invoices with their lines."""

    name = "customer_invoices"
    path = "/v1/customerinvoice"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = _EXPANDS
    is_finance = True
    lines = Lines("invoiceLines", ("lineNumber",))


class CustomerCreditNotes(VismaStream):
    """Credit notes to customers, with their lines."""

    name = "customer_credit_notes"
    path = "/v1/customerCreditNote"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = _EXPANDS
    is_finance = True
    lines = Lines("lines", ("lineNumber",))


class CustomerDebitNotes(VismaStream):
    """Debit notes to customers, with their lines."""

    name = "customer_debit_notes"
    path = "/v1/customerDebitNote"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = _EXPANDS
    is_finance = True
    lines = Lines("lines", ("lineNumber",))


class CustomerCreditWriteOffs(VismaStream):
    """Customers' credits that were written off."""

    name = "customer_credit_write_offs"
    path = "/v1/customerCreditWriteOff"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = _EXPANDS
    is_finance = True


class CustomerOverdueCharges(VismaStream):
    """Interest and fees charged to customers who paid late, with their lines."""

    name = "customer_overdue_charges"
    path = "/v1/customerOverdueCharge"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = _EXPANDS
    is_finance = True
    lines = Lines("lines", ("lineNumber",))


class CustomerDocuments(VismaStream):
    """The customer ledger: every document without its lines."""

    name = "customer_documents"
    path = "/v1/customerdocument"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = _EXPANDS
    is_finance = True


class CustomerPayments(VismaStream):
    """Payments by customers; a payment and its void share a number, so the type is in the key."""

    name = "customer_payments"
    path = "/v1/customerPayment"
    primary_keys = ("tenant_id", "company", "type", "refNbr")
    is_finance = True


class CashSales(VismaStream):
    """Cash sales with their lines."""

    name = "cash_sales"
    path = "/v1/cashsale"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = _EXPANDS
    is_finance = True
    lines = Lines("cashSaleLines", ("lineNumber",))


class Customers(VismaStream):
    """Customers; a customer's number may change, its internal id does not."""

    name = "customers"
    path = "/v1/customer"
    primary_keys = ("tenant_id", "company", "internalId")
    expands = ("expandAccountInformation", "expandPaymentMethods", "expandDirectDebit")
    is_finance = True


class CustomerBalances(VismaStream):
    """What each customer owes."""

    name = "customer_balances"
    path = "/v1/customer/balance"
    primary_keys = ("tenant_id", "company", "customer_id")
    keys_from: ClassVar = {"customer_id": ("customer", "internalId")}
    stamp = "lastModified"
    paging = Paging.WHOLE
    is_finance = True


class CustomerClasses(VismaStream):
    """Classes of customers."""

    name = "customer_classes"
    path = "/v1/customer/customerClass"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE


class CustomerPaymentMethods(VismaStream):
    """How each customer pays; one row a customer."""

    name = "customer_payment_methods"
    path = "/v1/customerpaymentmethod"
    primary_keys = ("tenant_id", "company", "customerId")
    filter = Filter.NONE
    stamp = None


class WorkTypes(VismaStream):
    """Kinds of work with a tax deduction for households (ROT and RUT)."""

    name = "work_types"
    path = "/v1/customerinvoice/worktypes"
    # Nothing is said to be unique; the tax authority's tag is, within ROT and within RUT.
    primary_keys = ("tenant_id", "company", "rut_rot_type", "xml_tag")
    keys_from: ClassVar = {"rut_rot_type": ("rutRotType",), "xml_tag": ("xmlTag",)}
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE
