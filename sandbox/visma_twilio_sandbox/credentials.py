"""Made-up names and secrets that the sandbox knows. None of them is real anywhere."""

from __future__ import annotations

CLIENT_ID = "isv_sandbox"
CLIENT_SECRET = "sandbox-secret-not-real"  # noqa: S105
TENANT_ID = "11111111-1111-4111-8111-111111111111"
"""The company: Visma's "company tenant"."""
SECOND_TENANT_ID = "22222222-2222-4222-8222-222222222222"
"""Another company of the same customer, with no invoices, payments, orders and journals."""
CUSTOMER_TENANT_ID = "99999999-9999-4999-8999-999999999999"
"""The customer that owns the companies: gets a token, but every call of the API answers 401."""


def tenant_id(number: int) -> str:
    """The tenant id of the first, second, third... company."""
    known = {1: TENANT_ID, 2: SECOND_TENANT_ID}
    return known.get(number, f"{number:08}-0000-4000-8000-{number:012}")


ACCOUNT_SID = "AC" + "0" * 31 + "1"
AUTH_TOKEN = "sandbox-auth-token-not-real"  # noqa: S105
API_KEY_SID = "SK" + "0" * 31 + "1"
API_KEY_SECRET = "sandbox-key-secret-not-real"  # noqa: S105
TEST_ACCOUNT_SID = "AC" + "0" * 31 + "2"
TEST_AUTH_TOKEN = "sandbox-test-auth-token-not-real"  # noqa: S105
FROM_NUMBER = "+46701740600"
MESSAGING_SERVICE_SID = "MG" + "0" * 31 + "1"
WHATSAPP_NUMBER = "+46701740601"
CONTENT_SID = "HX" + "0" * 31 + "1"
"""A content template that WhatsApp approved: see twilio/whatsapp.py."""

SENDGRID_API_KEY = "SG.sandbox-key-not-real"
