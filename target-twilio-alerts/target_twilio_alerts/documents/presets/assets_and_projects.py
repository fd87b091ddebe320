"""Fixed assets, and projects with their budgets."""

from __future__ import annotations

from target_twilio_alerts.documents.presets.building import (
    COMPANY_CURRENCY,
    MODULES,
    about,
    active,
    customer,
    date,
    entity,
    line_count,
    money,
    number,
    on_hold,
    text,
)

FIXED_ASSET = entity(
    "fixed_asset",
    text("number", "assetID", "Id of the asset."),
    about(),
    text("category", "classID", "Class of the asset."),
    text(
        "status",
        "details.status",
        "Status of the asset.",
        ("Active", "Disposed", "FullyDepreciated", "Hold", "Reversed", "Suspended"),
    ),
    money("amount", "details.acquisitionCost", "What it cost.", unit=COMPANY_CURRENCY),
    money("sale_amount", "details.saleAmount", "What it was sold for.", unit=COMPANY_CURRENCY),
    number("useful_life", "usefulLife", "How long it is of use.", unit="years"),
    date("date", "details.receiptDate", "When it was received."),
    date("disposal_date", "details.disposalDate", "When it was disposed of."),
    text("reference", "details.billNumber", "Number of its bill."),
    text("serial_number", "details.serialNumber", "Serial number."),
    text("department", "location.departmentID", "Department that has it."),
    final=("Disposed", "Reversed"),
    grouped_by=("category",),
)

FIXED_ASSET_TRANSACTION = entity(
    "fixed_asset_transaction",
    text("number", "refNo", "Reference number in Visma.net."),
    number("line_number", "lineNo", "Line within it."),
    text(
        "type",
        "transactionType",
        "Type of transaction.",
        (
            *("PurchasingPlus", "PurchasingMinus", "DepreciationPlus", "DepreciationMinus"),
            *("CalculatedPlus", "CalculatedMinus", "SalePlus", "SaleMinus", "TransferPurchasing"),
            *("TransferDepreciation", "ReconciliationPlus", "ReconciliationMinus"),
            *("PurchasingDisposal", "PurchasingReversal", "AdjustingDeprPlus"),
            "AdjustingDeprMinus",
        ),
    ),
    text(
        "origin",
        "origin",
        "Where it comes from.",
        (
            *("Adjustment", "Purchasing", "Depreciation", "Disposal", "Transfer"),
            *("Reconciliation", "Split", "Reversal", "DisposalReversal"),
        ),
    ),
    text(
        "status",
        "register.status",
        "Status of its document.",
        ("Balanced", "OnHold", "Posted", "Unposted"),
    ),
    money("amount", "transactionAmount", "Amount.", unit=COMPANY_CURRENCY),
    text("asset", "assetID", "Id of the asset."),
    date("date", "transactionDate", "Date of the transaction."),
    about("transactionDescription"),
    text("period", "transactionPeriodID", "Financial period."),
    text("batch_number", "batchNo", "Batch that it is posted with."),
    final=("Posted",),
    grouped_by=("asset",),
)

FIXED_ASSET_CLASS = entity(
    "fixed_asset_class",
    text("number", "classID", "Id of the class."),
    about(),
    active(),
    number("useful_life", "usefulLife", "How long its assets are of use.", unit="years"),
    stream="fixed_asset_classes",
)

PROJECT = entity(
    "project",
    text("number", "projectID", "Id of the project."),
    about(),
    text(
        "status",
        "status",
        "Status of the project.",
        ("Planned", "Active", "Completed", "Cancelled", "OnHold", "PendingApproval"),
    ),
    *customer(),
    money("income_total", "income", "Its income.", unit=COMPANY_CURRENCY),
    money("expense_total", "expenses", "Its expenses.", unit=COMPANY_CURRENCY),
    date("start_date", "startDate", "When it starts."),
    date("end_date", "endDate", "When it is to end."),
    on_hold(),
    text("owner", "projectManager.employeeName", "Who manages it."),
    final=("Completed", "Cancelled"),
)

PROJECT_BUDGET = entity(
    "project_budget",
    text("project", "projectID", "Id of the project."),
    text("task", "projectTaskID", "Id of the task."),
    text("category", "accountGroupID", "Account group."),
    text("type", "type", "Type of the account group."),
    about(),
    money("amount", "revisedBudgetAmount", "Budget as revised.", unit=COMPANY_CURRENCY),
    money("original_amount", "originalBudgetAmount", "Budget at first.", unit=COMPANY_CURRENCY),
    money("actual_amount", "actualAmount", "What has been spent.", unit=COMPANY_CURRENCY),
    money("committed_amount", "committedAmount", "What is ordered.", unit=COMPANY_CURRENCY),
)

PROJECT_TRANSACTION = entity(
    "project_transaction",
    text("module", "module", "Where it comes from.", MODULES),
    text("number", "refNbr", "Reference number in Visma.net."),
    text("status", "status", "Status.", ("Hold", "Balanced", "Released")),
    text(
        "type",
        "origDocType",
        "Type of the document it comes from.",
        (
            *("Allocation", "Timecard", "Case", "ExpenseClaim", "EquipmentTimecard"),
            *("AllocationReversal", "Reversal", "CreditMemo", "UnbilledRemainder"),
            "ProformaBilling",
        ),
    ),
    about(),
    text("reference", "origDocNbr", "Number of the document it comes from."),
    line_count("lines[]"),
    final=("Released",),
)
