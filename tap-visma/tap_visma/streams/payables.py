"""What the company owes: suppliers, their invoices, payments and balances; employees' expenses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from typing_extensions import override

from tap_visma.bookmarks import BEFORE_EVERYTHING
from tap_visma.kinds import Filter, Lines, Paging
from tap_visma.stream import VismaStream
from tap_visma.streams.demanding import DemandsFilter

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tap_visma.company import Company


class SupplierInvoices(VismaStream):
    """Supplier invoices with their lines; also credit notes, adjustments and prepayments."""

    name = "supplier_invoices"
    path = "/v1/supplierInvoice"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = (
        "expandAttachment",
        "expandLandedCosts",
        "expandApproval",
        "expandNote",
        "expandLinePrebookAccounts",
    )
    is_finance = True
    lines = Lines("invoiceLines", ("lineNumber",))


class SupplierDocuments(VismaStream):
    """The supplier ledger: every document without its lines."""

    name = "supplier_documents"
    path = "/v1/supplierdocument"
    primary_keys = ("tenant_id", "company", "documentType", "referenceNumber")
    expands = ("expandApproval", "expandNote", "expandLinePrebookAccounts")
    is_finance = True


class SupplierPayments(VismaStream):
    """Payments to suppliers, and what they are applied to."""

    name = "supplier_payments"
    path = "/v1/supplierPayment"
    primary_keys = ("tenant_id", "company", "type", "refNbr")
    is_finance = True


class Suppliers(VismaStream):
    """Suppliers; a supplier's number may change, its internal id does not."""

    name = "suppliers"
    path = "/v1/supplier"
    primary_keys = ("tenant_id", "company", "internalId")
    expands = ("expandAccountInformation", "expandNote")
    is_finance = True


class SupplierBalances(VismaStream):
    """What is owed to each supplier."""

    name = "supplier_balances"
    path = "/v1/supplier/balance"
    primary_keys = ("tenant_id", "company", "supplier_id")
    keys_from: ClassVar = {"supplier_id": ("supplier", "internalId")}
    paging = Paging.WHOLE
    is_finance = True


class SupplierPurchaseOrderBalances(VismaStream):
    """What is on order from each supplier."""

    name = "supplier_po_balances"
    path = "/v1/supplier/POBalance"
    primary_keys = ("tenant_id", "company", "supplier_id")
    keys_from: ClassVar = {"supplier_id": ("supplier", "internalId")}
    paging = Paging.WHOLE
    is_finance = True


class SupplierClasses(VismaStream):
    """Classes of suppliers."""

    name = "supplier_classes"
    path = "/v1/supplier/supplierClass"
    primary_keys = ("tenant_id", "company", "id")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE


class SupplierLocations(VismaStream):
    """Suppliers' locations, with how each is paid."""

    name = "supplier_locations"
    path = "/v1/supplierlocation"
    primary_keys = ("tenant_id", "company", "supplier_id", "locationId")
    keys_from: ClassVar = {"supplier_id": ("baccount", "internalId")}


class ExpenseClaims(DemandsFilter):
    """Employees' expense claims with their lines."""

    name = "expense_claims"
    path = "/v1/expenseClaim"
    primary_keys = ("tenant_id", "company", "refNbr")
    is_finance = True
    lines = Lines("details", ("claimDetailId",))


class ExpenseReceipts(VismaStream):
    """Employees' receipts, claimed or not yet."""

    name = "expense_receipts"
    path = "/v1/expenseReceipt"
    primary_keys = ("tenant_id", "company", "internalId")
    filter = Filter.NONE
    stamp = None
    paging = Paging.WHOLE

    @override
    def own_params(self, company: Company, context: Mapping[str, Any]) -> dict[str, str | int]:
        # "A filter needs to be specified", says the API's description: one that all receipts pass.
        return {"date": BEFORE_EVERYTHING, "dateCondition": ">="}
