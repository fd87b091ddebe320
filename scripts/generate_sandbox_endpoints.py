"""Writes what the sandbox knows of Visma's list endpoints; `--check` tells whether it is current.

Usage: generate_sandbox_endpoints.py [--check] [CONTRACT], where CONTRACT is visma-erp.openapi.json
(by default in the folder CONTRACTS_DIR, or in ../shared/contracts). Names and types only.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "sandbox" / "visma_twilio_sandbox" / "visma" / "endpoints.json"

PAGED_SINCE_2026 = {
    "/v1/carrier",
    "/v1/inventory/itemClass",
    "/v1/inventory/itemPostClass",
    "/v1/warehouse",
}
"""They have no pages in the contract, and have them in a client generated in early 2026
(Pionect/visma-php-sdk)."""

ROW_VERSION_SINCE_2026 = {
    *("/v1/account", "/v1/budget", "/v1/cashTransaction", "/v1/cashsale", "/v1/contact"),
    *("/v1/customer", "/v1/customerCreditNote", "/v1/customerCreditWriteOff"),
    *("/v1/customerDebitNote", "/v1/customerOverdueCharge", "/v1/customerPayment"),
    *("/v1/customerSalesPrice", "/v1/customerinvoice", "/v1/department", "/v1/employee"),
    *("/v1/expenseClaim", "/v1/expenseReceipt", "/v1/organization", "/v1/payment"),
    *("/v1/project", "/v1/project/tasks", "/v1/projectbasic", "/v1/projecttask"),
    *("/v1/projecttransaction", "/v1/subaccount", "/v1/timeCard", "/v2/currencyrate"),
    "/v2/journaltransaction",
}
"""Their items have ``timeStamp`` in that client, and not in the contract."""

_DOCUMENT = "documentType referenceNumber"
_ORDER = "orderType orderNbr"
_RECEIPT = "receiptType receiptNbr"
KEYS = {
    "/v1/account": "accountID",
    "/v1/attribute": "attributeID",
    "/v1/branch": "branchId",
    "/v1/budget": "branchNumber.number ledger financialYear account.number subaccount.id",
    "/v1/carrier": "carrierId",
    "/v1/cashaccount": "number",
    "/v1/cashsale": _DOCUMENT,
    "/v1/cashTransaction": "tranType referenceNbr",
    "/v1/contact": "contactId",
    "/v1/contractTemplate": "id",
    "/v1/contractUsage": "contract",
    "/v1/country": "id",
    "/v1/creditNote": _DOCUMENT,
    "/v1/creditTerm": "termsId",
    "/v1/currency": "id",
    "/v2/currencyrate": "id",
    "/v2/currencyratetype": "id",
    "/v1/customer/customerClass": "id",
    "/v1/customer/balance": "customer.internalId",
    "/v1/customer": "internalId",
    "/v1/customerContract": "contractId",
    "/v1/customerCreditNote": _DOCUMENT,
    "/v1/customerCreditWriteOff": _DOCUMENT,
    "/v1/customerDebitNote": _DOCUMENT,
    "/v1/customerdocument": _DOCUMENT,
    "/v1/customerinvoice/worktypes": "rutRotType xmlTag",
    "/v1/customerinvoice": _DOCUMENT,
    "/v1/customerOverdueCharge": _DOCUMENT,
    "/v1/customerPayment": "type refNbr",
    "/v1/customerpaymentmethod": "customerId",
    "/v1/customerSalesPrice": "recordId",
    "/v1/deferralCode": "deferralCode",
    "/v1/department": "departmentId",
    "/v1/dimension": "id",
    "/v1/discount": "discountCode series",
    "/v2/discount": "discountCode series",
    "/v1/discountCode": "discountCode",
    "/v2/discountCode": "discountCode",
    "/v1/earningtype": "code",
    "/v1/employee": "employeeId",
    "/v1/expenseClaim": "refNbr",
    "/v1/expenseReceipt": "receiptId",
    "/v1/financialPeriod": "year period",
    "/v1/firstTimeStartup/status": "id",
    "/v1/fixedAsset": "assetID",
    "/v1/fixedAssetClass": "classID",
    "/v1/fixedAssetPropertyTaxGroup": "propertyTaxID",
    "/v1/fixedAssetTransaction": "refNo lineNo",
    "/v2/generalLedgerBalance": "branch.number ledger.id balanceType financialPeriod "
    "account.number subaccountId",
    "/v1/GeneralLedgerTransactions": "ledger.id module batchNumber lineNumber",
    "/v1/inventory/itemClass": "id",
    "/v1/inventory/itemPostClass": "id",
    "/v1/inventory": "inventoryId",
    "/v1/inventoryadjustment": "referenceNumber",
    "/v1/inventoryissue": "referenceNumber",
    "/v1/inventoryReceipt": "referenceNumber",
    "/v1/inventoryTransfer": "referenceNumber",
    "/v2/journaltransaction": "module batchNumber",
    "/v1/kitassembly": "type refNo",
    "/v1/KitSpecifications": "kitInventoryID revision",
    "/v1/landedCostCode": "landedCostCodeId",
    "/v1/ledger": "number",
    "/v1/location": "baccount.internalId locationId",
    "/v1/lotserialclass": "id",
    "/v1/multilanguage/languages": "languageISO",
    "/v1/numberSequence": "numberingId",
    "/v1/organization": "organizationCd",
    "/v1/packagingType": "boxId",
    "/v1/payment": "type refNbr",
    "/v1/paymentmethod": "paymentMethodID",
    "/v1/project": "internalID",
    "/v1/project/tasks": "internalId",
    "/v1/projectaccountgroup": "accountGroupId",
    "/v1/projectbasic": "internalID",
    "/v1/projectbudget": "projectID projectTaskID accountGroupID inventoryNumber",
    "/v1/projecttask": "internalId",
    "/v1/projecttransaction": "module refNbr",
    "/v1/purchaseorder": _ORDER,
    "/v1/purchaseorderbasic": _ORDER,
    "/v1/PurchaseReceipt": _RECEIPT,
    "/v1/PurchaseReceiptBasic": _RECEIPT,
    "/v2/PurchaseReceipt": _RECEIPT,
    "/v1/salescategory": "categoryID",
    "/v1/salesorder": "orderType orderNo",
    "/v1/salesorderbasic": "orderType orderNo",
    "/v2/salesorder": "orderType orderNo",
    "/v1/salesordertype": "orderType",
    "/v1/salesperson": "salespersonID",
    "/v2/salesperson": "salespersonID",
    "/v1/shipment": "shipmentNumber",
    "/v1/stocktake": "referenceNbr",
    "/v2/stocktake": "referenceNbr",
    "/v1/subaccount": "subaccountId",
    "/v1/supplier/supplierClass": "id",
    "/v1/supplier/balance": "supplier.internalId",
    "/v1/supplier/POBalance": "supplier.internalId",
    "/v1/supplier": "internalId",
    "/v1/supplierdocument": _DOCUMENT,
    "/v1/supplierInvoice": _DOCUMENT,
    "/v1/supplierInvoice/approval": "systemId",
    "/v1/supplierlocation": "baccount.internalId locationId",
    "/v1/supplierPayment": "type refNbr",
    "/v1/timeCard": "refNbr",
    "/v1/uiExtension/availableScreens": "screenId",
    "/v1/unitofmeasure": "fromUnit toUnit",
    "/v1/vat": "vatId",
    "/v1/vatCategory": "vatCategoryId",
    "/v1/vatZone": "id",
    "/v1/warehouse": "warehouseID",
}
"""What tells one item from the others; the contract does not say. From the routes of single items,
and where there are none, from the names of the fields. Dots go into an object."""

HIDDEN = {
    "/v1/budget": ["ledger"],
    "/v1/dimension": ["id"],
    "/v1/firstTimeStartup/status": ["id"],
    "/v1/supplierInvoice/approval": ["systemId"],
}
"""Key fields that the sandbox keeps and the item does not show."""

SCALARS = {
    ("string", "date-time"): "t",
    ("string", "uuid"): "u",
    ("string", "byte"): "y",
    ("string", None): "s",
    ("integer", "int32"): "i",
    ("integer", "int64"): "i",
    ("number", "double"): "n",
    ("boolean", None): "b",
}
MODIFIED = ("lastModifiedDateTime", "lastModified")
ROW_VERSION = ("timeStamp", "timestamp")


def main() -> None:
    """Write or check."""
    arguments = [one for one in sys.argv[1:] if one != "--check"]
    folder = os.environ.get("CONTRACTS_DIR", ROOT.parent / "shared" / "contracts")
    contract = Path(arguments[0] if arguments else Path(folder) / "visma-erp.openapi.json")
    if not contract.is_file():
        sys.exit(f"{contract}: no such file; give the path of Visma's API description")
    text = _written(Reader(json.loads(contract.read_text(encoding="utf-8"))).all())
    if "--check" not in sys.argv:
        TARGET.write_text(text, encoding="utf-8")
    elif not TARGET.is_file() or TARGET.read_text(encoding="utf-8") != text:
        name = TARGET.relative_to(ROOT)
        sys.exit(f"not current: {name}; run scripts/generate_sandbox_endpoints.py")


class Reader:
    """Reads the list endpoints out of the contract."""

    def __init__(self, description: dict[str, Any]) -> None:
        self._paths: dict[str, Any] = description["paths"]
        self._schemas: dict[str, Any] = description["components"]["schemas"]
        self._types: dict[str, Any] = {}
        self._enums: list[list[str]] = []

    def all(self) -> dict[str, Any]:
        """Endpoints, the types of their items, and the values of enumerations."""
        endpoints = [
            self._endpoint(path, operations["get"])
            for path, operations in self._paths.items()
            if "get" in operations and "{" not in path
        ]
        unknown = set(KEYS) - {one["path"] for one in endpoints}
        if unknown:
            sys.exit(f"not in the contract: {', '.join(sorted(unknown))}")
        types = dict(sorted(self._types.items()))
        return {"endpoints": endpoints, "types": types, "enums": self._enums}

    def _endpoint(self, path: str, get: dict[str, Any]) -> dict[str, Any]:
        answer = get["responses"]["200"]["content"]["application/json"]["schema"]
        asked = {one["name"]: one for one in get["parameters"] if one["in"] == "query"}
        shape, item = self._shape(answer)
        kind = self._type(item)
        fields: dict[str, Any] = self._types.get(kind[1:], {})
        stamp = next((name for name in MODIFIED if name in fields), None)
        version = next((name for name in ROW_VERSION if name in fields), None)
        if path not in KEYS:
            sys.exit(f"{path}: no key is named for it")
        hidden = HIDDEN.get(path, [])
        for name in KEYS[path].split():
            if name not in hidden and not self._has(kind, name.split(".")):
                sys.exit(f"{path}: its items have no {name}")
        return {
            "path": path,
            "item": kind,
            "shape": shape,
            "key": KEYS[path].split(),
            "hidden": hidden,
            "paging": self._paging(path, asked),
            "filter": self._filter(asked),
            "createdFilter": "createdDateTime" in asked,
            "required": [name for name, one in asked.items() if one.get("required")],
            "stamp": stamp,
            "created": "createdDateTime" in fields,
            "version": version,
            "versionSince2026": path in ROW_VERSION_SINCE_2026,
            "metadata": "metadata" in fields,
            "deprecated": get.get("deprecated", False),
        }

    def _shape(self, answer: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """How a list is answered, and the schema of an item."""
        if answer.get("type") == "array":
            return "array", answer["items"]
        fields = self._schemas[_name(answer)]["properties"]
        if "records" in fields:
            return "records", fields["records"]["items"]
        return "object", answer

    @staticmethod
    def _paging(path: str, asked: dict[str, Any]) -> str:
        if "pageNumber" in asked:
            return "pages"
        if path in PAGED_SINCE_2026:
            return "pages since 2026"
        return "numbers" if "numberToRead" in asked else "whole"

    @staticmethod
    def _filter(asked: dict[str, Any]) -> str:
        if "lastModifiedDateTimeCondition" in asked:
            return "condition"
        return "stamp" if "lastModifiedDateTime" in asked else "none"

    def _has(self, kind: Any, names: list[str]) -> bool:
        for name in names:
            if not isinstance(kind, str) or name not in self._types.get(kind[1:], {}):
                return False
            kind = self._types[kind[1:]][name]
        return True

    def _type(self, node: dict[str, Any]) -> Any:
        """``@Name`` for an object, ``#1`` for an enumeration, a letter, or a list of these."""
        if "allOf" in node:
            (node,) = node["allOf"]
        if "$ref" in node:
            name = _name(node)
            schema = self._schemas[name]
            if schema.get("type", "object") != "object":
                return self._type(schema)
            if name not in self._types:
                self._types[name] = {}
                self._types[name] |= {
                    field: self._type(child) for field, child in schema["properties"].items()
                }
            return f"@{name}"
        if "enum" in node:
            if node["enum"] not in self._enums:
                self._enums.append(node["enum"])
            return f"#{self._enums.index(node['enum'])}"
        if node["type"] == "array":
            return [self._type(node["items"])]
        return SCALARS[node["type"], node.get("format")]


def _name(node: dict[str, Any]) -> str:
    return str(node["$ref"]).rsplit("/", 1)[-1]


def _written(found: dict[str, Any]) -> str:
    """JSON with one endpoint, type or enumeration a line."""
    endpoints = ",\n".join(_line(one) for one in found["endpoints"])
    types = ",\n".join(f'"{name}":{_line(one)}' for name, one in found["types"].items())
    enums = ",\n".join(_line(one) for one in found["enums"])
    return f'{{"endpoints":[\n{endpoints}\n],\n"types":{{\n{types}\n}},\n"enums":[\n{enums}\n]}}\n'


def _line(part: Any) -> str:
    return json.dumps(part, ensure_ascii=False, separators=(",", ":"))


if __name__ == "__main__":
    main()
