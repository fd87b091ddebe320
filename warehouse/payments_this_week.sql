-- Money in and out from Monday to Sunday of this week, by the server's calendar (SET timezone).
-- What goes back (refunds, voided payments) is negative; amounts are in the payment's currency.
-- A voided payment is here twice, with opposite signs. Credit notes that are applied like payments
-- move no money, so they are not here.
DROP VIEW IF EXISTS finance.payments_this_week;
CREATE VIEW finance.payments_this_week AS
WITH payments AS (
    SELECT
        'out' AS direction,
        company,
        "applicationDate" AS applied,
        supplier ->> 'number' AS counterparty_number,
        supplier ->> 'name' AS counterparty,
        "type" AS type,
        "refNbr" AS number,
        "paymentRef" AS reference,
        "status" AS status,
        "cashAccount" AS cash_account,
        currency ->> 'id' AS currency,
        "paymentAmount" AS amount
    FROM visma.supplier_payments
    WHERE "_sdc_deleted_at" IS NULL
    UNION ALL
    SELECT
        'in',
        company,
        "applicationDate",
        customer ->> 'number',
        customer ->> 'name',
        "type",
        "refNbr",
        "paymentRef",
        "status",
        "cashAccount",
        "currency",
        "paymentAmount"
    FROM visma.customer_payments
    WHERE "_sdc_deleted_at" IS NULL
)
SELECT
    direction,
    company,
    NULLIF(applied, '')::timestamp::date AS date,
    counterparty_number,
    counterparty,
    type,
    number,
    reference,
    status,
    cash_account,
    currency,
    CASE WHEN type IN ('Refund', 'VoidPayment') THEN -abs(amount) ELSE abs(amount) END AS amount
FROM payments
WHERE type IN ('Payment', 'Prepayment', 'Refund', 'VoidPayment', 'VoidRefund')
  AND NULLIF(applied, '')::timestamp >= date_trunc('week', current_date::timestamp)
  AND NULLIF(applied, '')::timestamp < date_trunc('week', current_date::timestamp) + interval '7 days'
ORDER BY date, direction, company, number;
