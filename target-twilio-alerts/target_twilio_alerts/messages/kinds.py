"""What messages of no rule are."""

from __future__ import annotations

TEST = "built-in/test"
DIGEST = "built-in/digest"
BRAKE_SUMMARY = "built-in/held"
ANCHOR = "built-in/anchor"
FAILURES = "built-in/failures"

KINDS = {
    TEST: "send-test",
    DIGEST: "digest",
    BRAKE_SUMMARY: "flood brake",
    ANCHOR: "anchor",
    FAILURES: "failures",
}
"""By their template."""
