-- The general ledger by account and financial period, in each ledger's own currency.
DROP VIEW IF EXISTS finance.gl_by_account_and_period;
CREATE VIEW finance.gl_by_account_and_period AS
SELECT
    company,
    ledger_id,
    "period" AS period,
    account ->> 'number' AS account,
    max(account ->> 'description') AS account_name,
    max(account ->> 'type') AS account_type,
    count(*) AS transactions,
    coalesce(sum("debitAmount"), 0) AS debit,
    coalesce(sum("creditAmount"), 0) AS credit,
    coalesce(sum("debitAmount"), 0) - coalesce(sum("creditAmount"), 0) AS net
FROM visma.general_ledger_transactions
WHERE "_sdc_deleted_at" IS NULL
GROUP BY company, ledger_id, "period", account ->> 'number'
ORDER BY company, ledger_id, "period", account ->> 'number';
