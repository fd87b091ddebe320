-- What customers should have paid by now, the oldest first. Credit notes are negative; amount and
-- balance are in the document's currency, base_balance in the company's own.
DROP VIEW IF EXISTS finance.overdue_customer_invoices;
CREATE VIEW finance.overdue_customer_invoices AS
WITH documents AS (
    SELECT
        *,
        CASE WHEN "documentType" = 'CreditNote' THEN -1 ELSE 1 END AS sign,
        NULLIF("documentDueDate", '')::timestamp::date AS due_date
    FROM visma.customer_invoices
    WHERE "_sdc_deleted_at" IS NULL
      AND "documentType" IN ('Invoice', 'DebitNote', 'CreditNote', 'FinCharge')
      AND coalesce("status", '') NOT IN ('Closed', 'Voided')
      AND "balance" <> 0
)
SELECT
    company,
    due_date,
    current_date - due_date AS days_overdue,
    customer ->> 'number' AS customer_number,
    customer ->> 'name' AS customer,
    "documentType" AS type,
    "referenceNumber" AS number,
    NULLIF("documentDate", '')::timestamp::date AS date,
    "status" AS status,
    "dunningLetterLevel" AS dunning_letter_level,
    "currencyId" AS currency,
    sign * abs("amount") AS amount,
    sign * abs("balance") AS balance,
    sign * abs("balanceInCurrency") AS base_balance
FROM documents
WHERE due_date < current_date
ORDER BY due_date, company, "referenceNumber";
