-- Every view, in one transaction:  psql -1 -v ON_ERROR_STOP=1 "$WAREHOUSE_URL" -f warehouse/views.sql
-- They read the tables that target-postgres makes in the schema visma. Run it again after a change.
CREATE SCHEMA IF NOT EXISTS finance;
\ir open_supplier_invoices.sql
\ir overdue_customer_invoices.sql
\ir payments_this_week.sql
\ir gl_by_account_and_period.sql
\ir spend_per_supplier.sql
