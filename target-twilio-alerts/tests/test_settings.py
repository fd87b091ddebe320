from __future__ import annotations

import pytest

from target_twilio_alerts.setting_errors import without_secrets
from target_twilio_alerts.settings import SETTINGS, Settings, SettingsError

COMPLETE = {
    "account_sid": "AC" + "0" * 32,
    "auth_token": "token",
    "from_number": "+46701740600",
    "sendgrid_api_key": "SG.key",
    "email_from": "alerts@example.com",
}
PUBLIC_URL = "public_url: not a URL of the form https://host or https://host:8443/path; correct it"


def test_relative_paths_count_from_the_project_wherever_a_command_is_run(tmp_path, monkeypatch):
    monkeypatch.setenv("MELTANO_PROJECT_ROOT", str(tmp_path / "a project"))
    monkeypatch.chdir(tmp_path)
    settings = Settings.from_config({})
    assert settings.alerts_file == tmp_path / "a project" / "alerts" / "alerts.yml"
    assert settings.ledger_url == f"sqlite:///{tmp_path / 'a project' / 'ledger.db'}"
    assert settings.templates_dir == tmp_path / "a project" / "alerts" / "templates"


def test_absolute_paths_and_other_databases_stay_as_they_are(tmp_path):
    settings = Settings.from_config(
        {"ledger_url": "postgresql+psycopg://u:p@h/d", "alerts_file": "/etc/alerts.yml"},
        root=tmp_path,
    )
    assert settings.ledger_url == "postgresql+psycopg://u:p@h/d"
    assert str(settings.alerts_file) == "/etc/alerts.yml"


def test_white_space_around_a_setting_is_not_part_of_it(tmp_path):
    settings = Settings.from_config({"sendgrid_api_key": " SG.key\n"}, root=tmp_path)
    assert settings.sendgrid_api_key == "SG.key"


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("12345 is not of type 'string' in config['auth_token']", "auth_token: must be text"),
        ("467 is not of type 'string' in config['from_number']", "from_number: must be text"),
        ("'x' is not of type 'integer' in config['max_in_flight']", "max_in_flight: must be int"),
        ("'a' is a required property", "'a' is a required property"),
        ("'SE' is not of type 'object', 'null' in config['senders']", "senders: must be object"),
        (
            "46 is not of type 'string' in config['senders']['SE']",
            "senders: that of SE must be text",
        ),
    ],
)
def test_a_wrong_type_is_told_without_the_value(told, shown):
    assert without_secrets(told).startswith(shown)


def test_an_empty_environment_variable_is_no_setting(tmp_path):
    settings = Settings.from_config({"auth_token": "", "max_in_flight": None}, root=tmp_path)
    assert settings.auth_token is None
    assert settings.max_in_flight == 4


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({"account_sid": None}, "account_sid"),
        ({"auth_token": None}, "auth_token (or api_key_sid with api_key_secret)"),
        ({"auth_token": None, "api_key_sid": "SK" + "0" * 32, "api_key_secret": "s"}, None),
        ({"from_number": None}, "from_number (or messaging_service_sid)"),
        ({"from_number": None, "messaging_service_sid": "MG" + "0" * 32}, None),
    ],
)
def test_what_sms_needs_is_named(tmp_path, config, missing):
    assert Settings.from_config({**COMPLETE, **config}, root=tmp_path).missing_for("sms") == missing


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"account_sid": "XX1"}, "account_sid: not of the form AC and 32 hex digits"),
        # A sender name that begins like a service SID is a name, and a short SID is a mistake.
        ({"messaging_service_sid": "MG Alerts"}, "messaging_service_sid: not of the form MG"),
        ({"from_number": "0701740605"}, "from_number"),
        ({"from_number": "12 letters too"}, "from_number"),
        ({"email_from": "nobody"}, "email_from"),
        ({"twilio_api_url": "api.twilio.com"}, "twilio_api_url: not a URL"),
        ({"twilio_api_url": "https://u:p@api.twilio.com"}, "twilio_api_url: not a URL"),
        ({"public_url": "https://[::1"}, PUBLIC_URL),
        ({"public_url": "https://alerts.example.com:99999"}, PUBLIC_URL),
        ({"public_url": "https://alerts.example.com:0"}, PUBLIC_URL),
        ({"public_url": "https://alerts.example.com:abc"}, PUBLIC_URL),
        ({"public_url": "https://alerts.example.com:"}, PUBLIC_URL),
        ({"public_url": "https://:8443"}, PUBLIC_URL),
        ({"public_url": "https://alerts.example.com/{a:foo}"}, PUBLIC_URL),
        ({"public_url": "https://alerts.example.com/{a}/{a}"}, PUBLIC_URL),
        ({"public_url": "https://{host}"}, PUBLIC_URL),
        ({"twilio_api_url": "http://127.0.0.1:99999"}, "twilio_api_url: not a URL"),
        ({"empty_ledger": "maybe"}, "empty_ledger: must be refuse, baseline or alert"),
        ({"ledger_url": "nonsense"}, "ledger_url: not a database URL"),
        ({"ledger_url": "sqlite://u:p@h:port/x"}, "ledger_url: not a database URL"),
        ({"auth_token": "copied\N{HORIZONTAL ELLIPSIS}"}, "auth_token: has a character that none"),
        ({"email_from": "a,b@example.com"}, "email_from: not of the form"),
        ({"voice_from": "NordAB"}, "voice_from: not of the form +46701740600"),
        ({"email_driver": "mailgun"}, "email_driver: must be sendgrid or twilio"),
        ({"twilio_email_api_url": "comms.twilio.com"}, "twilio_email_api_url: not a URL"),
        ({"senders": {"Sweden": "NordAB"}}, "senders: SWEDEN is no country; write two letters"),
        ({"senders": {"": "NordAB"}}, "senders:  is no country"),
        ({"senders": {"SE": "12 letters too"}}, "senders: that of SE is neither a number, a short"),
        ({"senders": {"SE": ""}}, "senders: that of SE is neither a number"),
        ({"senders": {"SE": None}}, "senders: that of SE is neither a number"),
        ({"senders": {"SE": "0701740605"}}, "senders: that of SE is neither a number"),
    ],
)
def test_a_wrong_setting_is_named_with_its_mend(tmp_path, config, said):
    with pytest.raises(SettingsError) as caught:
        Settings.from_config(config, root=tmp_path)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://alerts.example.com",
        "https://alerts.example.com:8443/twilio/alerts",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
    ],
)
def test_a_public_url_has_a_host_and_may_have_a_port_and_a_path(tmp_path, url):
    assert Settings.from_config({"public_url": f"{url}/"}, root=tmp_path).public_url == url


def test_a_sender_may_be_a_name(tmp_path):
    for sender in ("MG Alerts", "Nordisk AB", "ACME"):
        assert Settings.from_config({"from_number": sender}, root=tmp_path).from_number == sender


def test_senders_are_taken_whatever_their_kind_and_the_case_of_their_country(tmp_path):
    senders = {"se": "NordAB", "US": " +15005550006", "FI": "MG" + "0" * 32, "no": "72345"}
    found = Settings.from_config({"senders": senders}, root=tmp_path).senders
    assert found == {"SE": "NordAB", "US": "+15005550006", "FI": "MG" + "0" * 32, "NO": "72345"}
    for nothing in ({}, None, ""):
        assert Settings.from_config({"senders": nothing}, root=tmp_path).senders == {}


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({}, None),
        ({"from_number": None}, "voice_from"),
        ({"from_number": "NordAB"}, "voice_from"),
        ({"from_number": "NordAB", "voice_from": "+46701740600"}, None),
        ({"auth_token": None}, "auth_token (or api_key_sid with api_key_secret)"),
        # A Messaging Service sends SMS and calls nobody.
        ({"from_number": None, "messaging_service_sid": "MG" + "0" * 32}, "voice_from"),
    ],
)
def test_what_calls_need_is_named(tmp_path, config, missing):
    settings = Settings.from_config({**COMPLETE, **config}, root=tmp_path)
    assert settings.missing_for("voice") == missing


@pytest.mark.parametrize(
    ("config", "missing"),
    [
        ({}, None),
        ({"sendgrid_api_key": None}, "sendgrid_api_key"),
        ({"sendgrid_api_key": None, "email_driver": "twilio"}, None),
        ({"account_sid": None, "email_driver": "twilio"}, "account_sid"),
        ({"account_sid": None}, None),
        ({"email_from": None, "email_driver": "twilio"}, "email_from"),
    ],
)
def test_what_email_needs_depends_on_its_driver(tmp_path, config, missing):
    settings = Settings.from_config({**COMPLETE, **config}, root=tmp_path)
    assert settings.missing_for("email") == missing


def test_secrets_are_marked_as_such():
    secret = {name for name, schema in SETTINGS["properties"].items() if schema.get("secret")}
    assert secret == {
        "auth_token",
        "api_key_secret",
        "sendgrid_api_key",
        "visma_webhook_secret",
        "ledger_url",
    }


def test_every_setting_says_what_it_is():
    for name, schema in SETTINGS["properties"].items():
        assert schema.get("title"), name
        assert schema.get("description"), name
