"""Generate the Meltano plugin definitions and the README tables: settings and streams.

``--check`` writes nothing and exits with 1 if a file is not current.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from stream_tables import lines_table, streams_table

ROOT = Path(__file__).resolve().parent.parent
VARIANT = "visma-twilio-alerts"
PLUGINS = {
    "tap-visma": ("extractors", "Visma.net ERP", "tap-visma/README.md"),
    "target-twilio-alerts": ("loaders", "Twilio alerts", "target-twilio-alerts/README.md"),
    "tap-twilio-alerts-audit": (
        "extractors",
        "Twilio alerts: audit ledger",
        "target-twilio-alerts/README.md",
    ),
}
PARTS = {"tap-twilio-alerts-audit": "audit-settings"}
"""Where a README has settings of two plugins: the name of the second one's part."""

REQUIRED = {
    "tap-visma": [["client_id", "client_secret", "tenant_id"], ["companies"]],
    "target-twilio-alerts": [[]],
    "tap-twilio-alerts-audit": [["ledger_url"]],
}
COMMANDS: dict[str, dict[str, dict[str, str]]] = {
    "tap-visma": {},
    "tap-twilio-alerts-audit": {},
    "target-twilio-alerts": {
        name: {"executable": "twilio-alerts", "args": name, "description": description}
        for name, description in {
            "ack": "Acknowledge an alert: it is escalated no further.",
            "audit": "Show who was told what, when, and how it ended.",
            "backtest": "Tell what the rules would have told of the past.",
            "cancel": "Let nobody have messages that wait.",
            "check": "Check the alerts file, the templates and the settings.",
            "deliver": "Hand over what is pending.",
            "erase": "Forget addresses and texts, of a person or by age.",
            "explain": "Tell what each rule says of a document.",
            "preview": "Show a rule's messages as they would be sent now.",
            "opt-outs": "Who wants no more messages.",
            "release": "Send what the flood brake holds.",
            "resend": "Send messages again, as new linked attempts.",
            "send-test": "Send a recipient a test message.",
            "serve": "Hear callbacks of Twilio and webhooks of Visma.",
            "test": "Play the tests of the rules.",
            "silence": "Tell nobody of what matches, for a while.",
        }.items()
    },
}
_KINDS = {"integer": "integer", "boolean": "boolean", "array": "array", "object": "object"}


def about(name: str) -> dict[str, Any]:
    """Ask a plugin about itself."""
    executable = Path(sys.executable).parent / name
    told = subprocess.run(
        [executable, "--about", "--format=json"],
        check=True,
        capture_output=True,
        text=True,
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found


def settings_of(told: dict[str, Any]) -> list[dict[str, Any]]:
    """Settings as Meltano wants them."""
    settings = []
    for name, schema in told["settings"]["properties"].items():
        types = schema.get("type", ["string"])
        types = [types] if isinstance(types, str) else types
        setting: dict[str, Any] = {
            "name": name,
            "label": schema.get("title", name),
            "description": " ".join(schema.get("description", "").split()),
            "kind": next((_KINDS[kind] for kind in types if kind in _KINDS), "string"),
        }
        if schema.get("secret"):
            setting["sensitive"] = True
        if allowed := schema.get("enum"):
            setting["kind"] = "options"
            setting["options"] = [
                {"label": str(value), "value": value} for value in allowed if value is not None
            ]
        if "default" in schema:
            setting["value"] = schema["default"]
        settings.append(setting)
    return settings


def definition(name: str, told: dict[str, Any]) -> dict[str, Any]:
    """One plugin's lock file."""
    kind, label, _ = PLUGINS[name]
    found: dict[str, Any] = {
        "plugin_type": kind,
        "name": name,
        "namespace": name.replace("-", "_"),
        "variant": VARIANT,
        "label": label,
        "description": told["description"],
        "pip_url": name,
        "executable": name,
        "capabilities": sorted(told["capabilities"]),
        "settings_group_validation": REQUIRED[name],
        "settings": settings_of(told),
    }
    if COMMANDS[name]:
        found["commands"] = COMMANDS[name]
    return found


def utility(loader: dict[str, Any]) -> dict[str, Any]:
    """The operator's commands as a utility, with the loader's settings under the loader's names."""
    settings = []
    for setting in loader["settings"]:
        env = f"TARGET_TWILIO_ALERTS_{setting['name'].upper()}"
        settings.append({**{k: v for k, v in setting.items() if k != "value"}, "env": env})
    return {
        "plugin_type": "utilities",
        "name": "twilio-alerts",
        "namespace": "twilio_alerts",
        "variant": VARIANT,
        "label": "Twilio alerts: the operator's commands",
        "description": "Deliver, audit, check and resend alerts.",
        "pip_url": "target-twilio-alerts",
        "executable": "twilio-alerts",
        "settings": settings,
        "commands": loader["commands"],
    }


def table(told: dict[str, Any]) -> str:
    """A README settings table."""
    required = set(told["settings"].get("required", []))
    lines = ["| Setting | Default | What it is |", "| --- | --- | --- |"]
    for name, schema in told["settings"]["properties"].items():
        facts = {"required": name in required, "secret": schema.get("secret")}
        marks = [mark for mark, holds in facts.items() if holds]
        default = f"`{json.dumps(schema['default'])}`" if "default" in schema else ""
        text = " ".join(schema.get("description", "").split()).replace("|", "\\|")
        note = f" ({', '.join(marks)})" if marks else ""
        lines.append(f"| `{name}`{note} | {default} | {text} |")
    return "\n".join(lines)


def with_part(readme: str, name: str, text: str) -> str:
    """A README with what is between two markers replaced."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    before, rest = readme.split(begin)
    _, after = rest.split(end)
    return f"{before}{begin}\n{text}\n{end}{after}"


def generated() -> dict[Path, str]:
    """Every generated file and its text."""
    files: dict[Path, str] = {}
    for name, (kind, _, readme) in PLUGINS.items():
        told = about(name)
        found = definition(name, told)
        files[ROOT / "plugins" / kind / f"{name}--{VARIANT}.lock"] = _json(found)
        place = ROOT / readme
        text = files.get(place) or place.read_text(encoding="utf-8")
        text = with_part(text, PARTS.get(name, "settings"), table(told))
        if name == "tap-visma":
            text = with_part(text, "streams", streams_table())
            text = with_part(text, "lines", lines_table())
        if name == "target-twilio-alerts":
            lock = ROOT / "plugins" / "utilities" / f"twilio-alerts--{VARIANT}.lock"
            files[lock] = _json(utility(found))
        files[place] = text
    return files


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def main() -> None:
    """Write the files, or check them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if not current")
    check = parser.parse_args().check
    stale = []
    for path, text in generated().items():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path.relative_to(ROOT))
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        print(f"{path}: {'not current; run `make generate`' if check else 'written'}")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
