"""The filter of documents that have come before forgets none."""

from __future__ import annotations

import hashlib

from target_twilio_alerts.rehearsal.seen import Seen


def test_no_document_is_forgotten_and_hardly_a_new_one_is_taken_for_a_known_one():
    ids = [hashlib.sha256(str(number).encode()).hexdigest()[:32] for number in range(50_000)]
    seen = Seen()
    mistaken = sum(seen.add(one) for one in ids)
    assert mistaken < len(ids) / 1000
    assert all(seen.add(one) for one in ids)
