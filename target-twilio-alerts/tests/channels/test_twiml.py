"""What a call says: well-formed, within Twilio's length, in the recipient's language."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from target_twilio_alerts.delivery.channels import Outgoing
from target_twilio_alerts.delivery.channels.voice import MAX_TWIML, language_of, twiml_of

TEXT = "Acme: Ny faktura 75 000,00 SEK. Ref X9VRDX7K."
SPELT = "Acme: Ny faktura 75 000,00 SEK. Ref X 9 V R D X 7 K."
KEYPRESS = "https://alerts.example.com/twilio/keypress?message=X9VRDX7K&a=b"


def outgoing(text, *, locale="sv_SE", keypress_url=None):
    return Outgoing(
        "X9VRDX7K", "voice", "+46701740605", None, text, locale=locale, keypress_url=keypress_url
    )


def parsed(text, **given):
    twiml = twiml_of(outgoing(text, **given))
    assert len(twiml) <= MAX_TWIML
    return ET.fromstring(twiml)


def said(root):
    return [one.text or "" for one in root.iter("Say")]


def test_a_text_is_read_twice_with_a_pause_and_its_reference_is_spelt_out():
    root = parsed(TEXT)
    assert [one.tag for one in root] == ["Say", "Pause", "Say"]
    assert said(root) == [SPELT, SPELT]
    assert {one.get("language") for one in root.iter("Say")} == {"sv-SE"}


def test_a_key_is_asked_for_only_if_somebody_hears_of_it():
    assert parsed(TEXT).find("Gather") is None
    root = parsed(TEXT, keypress_url=KEYPRESS)
    (gather,) = root
    assert gather.attrib == {"action": KEYPRESS, "method": "POST", "numDigits": "1"}
    assert [one.tag for one in gather] == ["Say", "Pause", "Say", "Say"]
    assert said(root)[-1] == "Tryck på en valfri siffra för att kvittera."


@pytest.mark.parametrize(
    ("locale", "words", "language"),
    [
        ("nb_NO", "Trykk", "nb-NO"),
        ("nn_NO", "Trykk", "nb-NO"),
        ("da", "Tryk ", "da-DK"),
        ("fi_FI", "Kuittaa", "fi-FI"),
        ("de_DE", "press any key", "en-US"),
        ("et_EE", "press any key", "en-US"),
    ],
)
def test_the_key_is_asked_for_in_the_language_of_these_words(locale, words, language):
    *_, last = parsed(TEXT, locale=locale, keypress_url=KEYPRESS).iter("Say")
    assert words in last.text
    assert last.get("language") == language


@pytest.mark.parametrize(
    ("locales", "language"),
    [
        ("sv sv_SE sv-SE sv_SE.UTF-8 sv_FI", "sv-SE"),
        ("nb nb_NO nn nn_NO no no_NO nb_SJ", "nb-NO"),
        ("da da_DK da_GL", "da-DK"),
        ("fi fi_FI", "fi-FI"),
        ("en en_US en_SE en_NO en_FI tlh et_EE ../../etc", "en-US"),
        ("en_GB", "en-GB"),
        ("is_IS is", "is-IS"),
        ("de_AT", "de-DE"),
        ("zh_Hant_TW", "zh-TW"),
    ],
)
def test_each_locale_is_read_in_a_language_that_twilio_has(locales, language):
    assert {language_of(locale) for locale in locales.split()} == {language}


anything = st.text(st.characters(exclude_categories=()), max_size=3000)
awkward = st.text(st.sampled_from("<>&\"'\x00\x08\x1b\r\n\t\u2028\ufffe\ud800🧾å]"), max_size=1500)
KNOWN = ("sv_SE", "nb", "nn_NO", "no", "da", "fi_FI", "en_GB", "et")


@given(anything | awkward, st.sampled_from(KNOWN), st.sampled_from([None, KEYPRESS]))
def test_any_text_is_one_well_formed_response_that_says_nothing_else(text, locale, keypress_url):
    root = parsed(text, locale=locale, keypress_url=keypress_url)
    assert root.tag == "Response"
    assert {one.tag for one in root.iter()} <= {"Response", "Gather", "Pause", "Say"}
    for one in root.iter():
        assert set(one.attrib) <= {"language", "length", "action", "method", "numDigits"}
    texts = said(root)[:-1] if keypress_url else said(root)
    assert len(set(texts)) == 1
    wanted = re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", " ", text)
    assert texts[0] == shown(" ".join(wanted.split()), texts[0])


def shown(wanted, told):
    """The whole text, or as much of it as fits, which ends with dots then."""
    if told == wanted:
        return wanted
    assert len(wanted) > 500
    return wanted[: len(told) - 3].rstrip() + "..."


@pytest.mark.parametrize("character", ["x", "&", "<", '"', "🧾"])
def test_a_very_long_text_is_cut_and_said_once(character):
    (one,) = said(parsed(character * 100_000))
    assert one.endswith("...")
    assert len(one) > 500


def test_a_text_that_fits_only_once_is_said_once():
    assert said(parsed("å" * 3000)) == ["å" * 3000]


def test_markup_in_a_text_is_read_out_and_never_followed():
    attack = '</Say><Dial>+15005550006</Dial><Say language="en-US"><!-- ]]>'
    root = parsed(attack, keypress_url=KEYPRESS)
    assert said(root)[:2] == [attack, attack]
    assert root.find(".//Dial") is None


def test_a_url_without_end_does_not_keep_it_busy_for_ever():
    twiml = twiml_of(outgoing(TEXT, keypress_url=f"https://a.example.com/{'x' * 5000}"))
    assert len(twiml) > MAX_TWIML  # which Twilio refuses, and the ledger keeps
