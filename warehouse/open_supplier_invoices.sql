-- What is to be paid to suppliers, the most urgent first. Credit notes (DebitAdj) are negative;
-- amount and balance are in the document's currency, base_balance in the company's own.
DROP VIEW IF EXISTS finance.open_supplier_invoices;
CREATE VIEW finance.open_supplier_invoices AS
WITH documents AS (
    SELECT
        *,
        CASE WHEN "documentType" = 'DebitAdj' THEN -1 ELSE 1 END AS sign,
        NULLIF("dueDate", '')::timestamp::date AS due_date
    FROM visma.supplier_invoices
    WHERE "_sdc_deleted_at" IS NULL
      AND "documentType" IN ('Invoice', 'CreditAdj', 'DebitAdj', 'Prepayment')
      AND coalesce("status", '') NOT IN ('Closed', 'Voided')
      AND "balance" <> 0
)
SELECT
    company,
    due_date,
    current_date - due_date AS days_overdue,
    supplier ->> 'number' AS supplier_number,
    supplier ->> 'name' AS supplier,
    "documentType" AS type,
    "referenceNumber" AS number,
    "supplierReference" AS supplier_reference,
    NULLIF("date", '')::timestamp::date AS date,
    "status" AS status,
    "hold" AS on_hold,
    "approvalStatus" AS approval_status,
    "currencyId" AS currency,
    sign * abs("amount") AS amount,
    sign * abs("balance") AS balance,
    sign * abs("balanceInCurrency") AS base_balance
FROM documents
ORDER BY due_date NULLS LAST, company, "referenceNumber";
