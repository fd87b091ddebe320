"""``twilio-alerts test`` shows all that rules do: whom, when, by what, in which words, or not."""

from __future__ import annotations

import pytest

ANNA, BO, CFO = "+46701740605", "+46701740606", "+46701740607"
PEOPLE = {
    "anna": {"sms": ANNA, "email": "anna@example.com"},
    "bo": {"sms": BO, "voice": BO, "email": "bo@example.com"},
    "cfo": {"sms": CFO, "email": "cfo@example.com"},
}
BIG = "entity: supplier_invoice, when: amount > 50000"


@pytest.fixture
def play(office):
    """Play steps over rules; nothing may fail, and each message is looked at."""

    def played(rules, steps, *, more="", code=0, head="", **people):
        office.people(
            rules=f"\n{rules}\n{more}timezone: Europe/Stockholm\n",
            **{name: {**given, **people.get(name, {})} for name, given in PEOPLE.items()},
        )
        (office.root / "tests").mkdir(exist_ok=True)
        text = f"{head}tests:\n  it:\n    steps:\n{steps}"
        (office.root / "tests" / "it.yml").write_text(text, encoding="utf-8")
        return office.run("test", code=code)

    return played


def fails(play, rules, steps, old, new, **more):
    """The same steps with something else expected fail, and hold as they are."""
    play(rules, steps, **more)
    assert old in steps
    return play(rules, steps.replace(old, new, 1), code=1, **more)


def test_calls_and_the_steps_of_an_escalation(play):
    rules = f"""
  big:
    {{{BIG}, notify: anna, via: sms,
      escalate: [{{after: 15m, notify: bo, via: voice}}, {{after: 2h, notify: cfo, via: sms}}]}}"""
    steps = """
      - at: 2026-11-25 10:00
        documents: [supplier_invoice: {number: "1", amount: 62000}]
        told: [{recipient: anna, kind: alert, step: 0}]
      - at: 2026-11-25 10:14
        told: []
      - at: 2026-11-25 10:15
        told:
          - {recipient: bo, via: voice, kind: escalation, step: 1, contains: [Escalated, Ref REF]}
      - at: 2026-11-25 12:00
        acknowledged: yes
        told: []
"""
    told = fails(play, rules, steps, "acknowledged: yes", "acknowledged: no")
    assert "it.yml:13: step 4 (2026-11-25 12:00): expected nobody, but big told cfo by sms" in told
    assert "(escalation, pending)" in told


def test_a_step_unless_delivered_ends_when_a_message_reached_somebody(play):
    step = "escalate: {after: 15m, unless: delivered, notify: bo, via: sms}"
    rules = f"  big: {{{BIG}, notify: anna, via: sms, {step}}}"
    steps = """
      - at: 2026-11-25 10:00
        documents: [supplier_invoice: {number: "1", amount: 62000}]
        told: [{recipient: anna}]
      - at: 2026-11-25 10:20
        delivered: yes
        told: []
"""
    told = fails(play, rules, steps, "delivered: yes", "delivered: no")
    assert "big told bo by sms (escalation, pending)" in told


def test_digests_on_working_days_with_all_their_rules(play):
    digest = 'notify: anna, via: email, digest: {workdays: "08:00", country: SE}'
    rules = f"""
  big: {{{BIG}, {digest}}}
  held: {{entity: supplier_invoice, when: on_hold, {digest}}}"""
    steps = """
      - at: 2026-12-23 10:00
        documents:
          - supplier_invoice: {number: "1", amount: 62000, currency: SEK}
          - supplier_invoice: {number: "2", amount: 70000, currency: SEK, on_hold: yes}
        told: []
        outcomes: {big: [alert, alert], held: [alert, undecided]}
      - at: 2026-12-24 08:00
        told: []
      - at: 2026-12-28 08:00
        told:
          - {rule: held, recipient: anna, kind: digest, subject: 3 alerts, contains: ["132,000.00"]}
"""
    told = fails(play, rules, steps, "rule: held", "rule: big, step: 1")
    assert "it.yml:15: step 3 (2026-12-28 08:00): big and held told anna by email (digest" in told


def test_the_flood_brake_and_its_summary(play):
    rules = f"  big: {{{BIG}, notify: anna, via: sms}}"
    steps = """
      - at: 2026-11-25 10:00
        documents:
          - supplier_invoice: {number: "1", amount: 62000}
          - supplier_invoice: {number: "2", amount: 62000}
        told:
          - {recipient: anna, contains: ["invoice 1"], state: pending}
          - {recipient: anna, state: suppressed, reason: "flood brake: more than 1 of a rule"}
          - {recipient: cfo, via: email, kind: flood brake, contains: ["big: 1"]}
"""
    limits = "limits: {per_rule: 1, notify: cfo, via: email}\n"
    for head in ("", "rule: big\n"):
        told = fails(play, rules, steps, "big: 1", "big: 2", more=limits, head=head)
        assert (
            "step 1 (2026-11-25 10:00): told cfo by email (flood brake, pending): expected" in told
        )


def test_the_day_has_a_limit_of_cost(play, office):
    (office.root / "prices.csv").write_text("channel,country,price\nsms,SE,0.05\n")
    rules = f"  big: {{{BIG}, notify: anna, via: sms}}"
    steps = """
      - at: 2026-11-25 10:00
        documents:
          - supplier_invoice: {number: "1", amount: 62000}
          - supplier_invoice: {number: "2", amount: 62000}
        told:
          - {cost: 0.05, state: pending}
          - {cost: 0.05, state: suppressed, reason: "flood brake: more than 0.05 in a day"}
"""
    limits = "limits: {cost_per_day: 0.05, prices: prices.csv}\n"
    fails(play, rules, steps, "cost: 0.05", "cost: 0.06", more=limits)


def test_quiet_hours_duty_and_deputies(play):
    rules = f"  big: {{{BIG}, notify: [on-duty, cfo], via: sms}}"
    more = "rotations: {on-duty: {start: 2026-11-23, members: [anna, bo]}}\n"
    steps = """
      - at: 2026-11-25 22:00
        documents: [supplier_invoice: {number: "1", amount: 62000}]
        told:
          - recipient: bo
            because: on duty in on-duty; deputy of anna
            not_before: 2026-11-26 07:00
          - {recipient: cfo, state: suppressed, reason: quiet hours}
"""
    quiet = {"from": "20:00", "to": "07:00"}
    away = [{"from": "2026-11-20", "to": "2026-11-30", "deputy": "bo"}]
    people = {
        "anna": {"away": away},
        "bo": {"quiet_hours": quiet},
        "cfo": {"quiet_hours": {**quiet, "do": "drop"}},
    }
    told = fails(play, rules, steps, "26 07:00", "26 08:00", more=more, **people)
    assert (
        "expected not_before '2026-11-26T08:00:00+01:00', but it was '2026-11-26T06:00:00" in told
    )


def test_opt_outs_and_what_is_told_instead(play):
    rules = f"  big: {{{BIG}, notify: anna, via: sms, fallback: email}}"
    steps = """
      - at: 2026-11-25 10:00
        documents: [supplier_invoice: {number: "1", amount: 62000}]
        told: [{recipient: anna, via: sms, state: pending}]
      - at: 2026-11-25 10:05
        opted_out: {recipient: anna, via: sms}
        told:
          - {recipient: anna, via: email, because: "fallback: opted out of sms", contains: ["1"]}
      - at: 2026-11-25 11:00
        documents: [supplier_invoice: {number: "2", amount: 62000}]
        told:
          - {recipient: anna, via: sms, state: suppressed, reason: opted out}
          - {recipient: anna, via: email, state: pending, contains: ["2"]}
"""
    fails(play, rules, steps, "reason: opted out", "reason: silence")


def test_silences_begin_and_end(play):
    rules = f"  big: {{{BIG}, notify: [anna, bo], via: sms}}"
    steps = """
      - at: 2026-11-25 10:00
        silenced:
          - {rule: big, recipient: anna, for: 8h, reason: moving}
          - {counterparty: Fjord AS, for: 1d}
        documents:
          - supplier_invoice: {number: "1", amount: 62000, counterparty: Kontorsbolaget AB}
          - supplier_invoice: {number: "2", amount: 62000, counterparty: Fjord AS}
        told:
          - {recipient: anna, state: suppressed, reason: silence}
          - {recipient: bo, state: pending, contains: [Kontorsbolaget AB]}
          - {recipient: anna, state: suppressed}
          - {recipient: bo, state: suppressed, reason: silence}
      - at: 2026-11-25 18:00
        documents: [supplier_invoice: {number: "3", amount: 62000}]
        told:
          - {recipient: anna, state: pending}
          - {recipient: bo, state: pending}
"""
    told = fails(play, rules, steps, "for: 8h", "for: 9h")
    assert "step 2 (2026-11-25 18:00): big told anna by sms (suppressed): expected state" in told


def test_what_cannot_be_decided_is_told_to_its_owner_once(play):
    rules = f"  big: {{{BIG}, notify: anna, via: sms, undecided: {{notify: bo, via: email}}}}"
    steps = """
      - at: 2026-11-25 10:00
        documents: [supplier_invoice: {number: "1", type: Invoice}]
        told:
          - {recipient: bo, via: email, kind: undecided, contains: [cannot be decided]}
        outcomes: {big: undecided}
      - documents: [supplier_invoice: {number: "1", type: Invoice, status: Open}]
        told: []
        outcomes: {big: undecided}
"""
    fails(play, rules, steps, "kind: undecided", "kind: alert")


def test_once_for_a_counterparty_and_what_stands_for_it(play):
    rules = f"  big: {{{BIG}, notify: anna, via: sms, once_per: counterparty}}"
    steps = """
      - at: 2026-11-25 10:00
        documents:
          - supplier_invoice: {number: "1", amount: 62000, counterparty_number: "50"}
          - supplier_invoice: {number: "2", amount: 62000, counterparty_number: "50"}
        told: [{recipient: anna, contains: ["invoice 1"]}]
        outcomes: {big: [alert, already_told]}
"""
    fails(play, rules, steps, "[alert, already_told]", "[alert, alert]")


def test_what_comes_again_or_late_or_is_gone_alerts_nobody(play):
    rules = f"  big: {{{BIG}, notify: anna, via: sms}}"
    steps = """
      - at: 2026-11-25 10:00
        documents: [supplier_invoice: {number: "1", amount: 62000}]
        told: [{recipient: anna}]
      - documents: [supplier_invoice: {number: "1", amount: 62000}]
        told: []
        outcomes: {big: already_true}
      - documents: [supplier_invoice: {number: "1", amount: 5, stamp: 2026-11-24 10:00}]
        told: []
        outcomes: {big: stale}
      - documents: [supplier_invoice: {number: "1", amount: 62000, deleted: yes}]
        told: []
        outcomes: {big: deleted}
"""
    fails(play, rules, steps, "big: stale", "big: no_match")


def test_rates_that_the_tap_brings_late_decide_at_the_end_of_that_run(play):
    rules = """
  big: {entity: supplier_invoice, when: 'amount_in("SEK") > 50000', notify: anna, via: sms}"""
    steps = """
      - at: 2026-11-25 10:00
        documents:
          - supplier_invoice:
              {company: A, number: "1", amount: 6000, currency: EUR, date: 2026-11-24}
          - supplier_invoice:
              {company: B, number: "1", amount: 6000, currency: EUR, date: 2026-11-24}
        told: []
        outcomes: {big: [undecided, undecided]}
      - rates: ["2026-11-20,EUR,SEK,11.0425,A"]
        told: [{recipient: anna, contains: [A]}]
"""
    more = "rates: {type: SPOT}\n"
    fails(play, rules, steps, ",A", ",B", more=more)


def test_a_step_adds_no_rates_to_other_tests(play):
    rules = """
  big: {entity: supplier_invoice, when: 'amount_in("SEK") > 50000', notify: anna, via: sms}"""
    invoice = '{number: "1", amount: 6000, currency: EUR, date: 2026-11-24}'
    steps = f"""
      - at: 2026-11-25 10:00
        rates: ["2026-11-20,EUR,SEK,11.0425"]
        documents: [supplier_invoice: {invoice}]
        told: [{{recipient: anna}}]
  another:
    steps:
      - at: 2026-11-25 10:00
        documents: [supplier_invoice: {invoice}]
        outcomes: {{big: undecided}}
"""
    assert "2 tests, 0 failed" in play(rules, steps, more="rates: {type: SPOT}\n")


def test_own_entities_without_a_number_are_told_apart_by_a_key(play):
    rules = "  deal: {entity: deal, when: 'amount > 5', notify: anna, via: sms}"
    more = """entities:
  deal: {stream: deals, key: [id], fields: {amount: {from: value, type: number}}}
"""
    steps = """
      - at: 2026-11-25 10:00
        documents:
          - deal: {key: a, amount: 6}
          - deal: {key: b, amount: 7}
        told: [{recipient: anna, contains: ["6"]}, {recipient: anna, contains: ["7"]}]
      - documents: [deal: {key: a, amount: 6}]
        outcomes: {deal: already_true}
"""
    fails(play, rules, steps, '["7"]', '["8"]', more=more)
    told = play(rules, steps.replace("key: a, ", "", 1), code=1, more=more)
    assert "it.yml:7: test 'it': step 1: deal: key is missing; it tells which document" in told


def test_rules_of_some_companies_only(play):
    rules = f"  big: {{{BIG}, notify: anna, via: sms, companies: B}}"
    steps = """
      - at: 2026-11-25 10:00
        documents:
          - supplier_invoice: {company: A, number: "1", amount: 62000}
          - supplier_invoice: {company: B, number: "1", amount: 62000}
        told: [{recipient: anna, contains: ["B: "]}]
        outcomes: {big: [no_match, alert]}
"""
    fails(play, rules, steps, '["B: "]', '["A: "]')


def test_a_taps_rates_need_a_type(play, office):
    (office.root / "rates.csv").write_text("date,from,to,rate\n2026-11-20,EUR,SEK,11\n")
    rules = """
  big: {entity: supplier_invoice, when: 'amount_in("SEK") > 50000', notify: anna, via: sms}"""
    steps = """
      - at: 2026-11-25 10:00
        rates: ["2026-11-20,EUR,SEK,11.0425"]
        told: []
"""
    told = play(rules, steps, code=1, more="rates: {file: rates.csv}\n")
    assert "it.yml:6: test 'it': step 1: a tap's rates need `rates: {type: ...}`" in told
