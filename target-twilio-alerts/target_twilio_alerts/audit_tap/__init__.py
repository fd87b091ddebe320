"""``tap-twilio-alerts-audit``: the ledger as Singer streams, so that a warehouse has it too."""
