-- What was bought from each supplier, by year and currency of the documents: released invoices less
-- credit notes. A prepayment is not spend; the invoice that follows it is.
DROP VIEW IF EXISTS finance.spend_per_supplier;
CREATE VIEW finance.spend_per_supplier AS
WITH documents AS (
    SELECT
        *,
        CASE WHEN "documentType" = 'DebitAdj' THEN -1 ELSE 1 END AS sign
    FROM visma.supplier_invoices
    WHERE "_sdc_deleted_at" IS NULL
      AND "documentType" IN ('Invoice', 'CreditAdj', 'DebitAdj', 'QuickCheck')
      AND "status" IN ('Open', 'Closed', 'Prebooked')
)
SELECT
    company,
    extract(year FROM NULLIF("date", '')::timestamp)::integer AS year,
    supplier ->> 'number' AS supplier_number,
    max(supplier ->> 'name') AS supplier,
    "currencyId" AS currency,
    count(*) AS documents,
    sum(sign * abs("amount")) AS amount,
    sum(sign * (abs("amount") - abs(coalesce("vatTotal", 0)))) AS amount_without_vat
FROM documents
GROUP BY company, year, supplier ->> 'number', "currencyId"
ORDER BY company, year DESC, amount DESC;
