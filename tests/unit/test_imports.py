"""When things are imported: nothing dear before it is needed, and nothing at all once a guard stands."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from proxy_guard import resources

DEAR = {"presidio_analyzer", "presidio_anonymizer", "spacy", "hyperscan", "phonenumbers"}
CHAT = "https://api.openai.com/v1/chat/completions"
VALUES = (
    "Hi, I am Maria Gonzalez from London, born on 5 October 1981. Call +49 30 901820 or 9876543210, card "
    "4111 1111 1111 1111, SSN 856-45-6789, DE89 3704 0044 0532 0130 00, ravi@example.co.uk, NHS 943 476 5919, "
    "Aadhaar 2345 6789 0124, from 2001:db8::ff00:42:8329 and https://example.com/a. Your OTP is 482913. "
    "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2 मेरा नंबर ९८७६५४३२१०"
)


def run(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded(command: list[str]) -> set[str]:
    """The packages that a command of the command line leaves imported."""
    code = """
import contextlib, io, sys
from proxy_guard.cli import main
sys.argv = ["proxy-guard", *sys.argv[1:]]
with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):
    main()
print(*{name.partition(".")[0] for name in sys.modules})
"""
    return set(run(code, *command).split())


def test_help_needs_nothing_dear() -> None:
    assert loaded(["--help"]).isdisjoint({*DEAR, "pydantic", "anyio"})


def test_rules_with_mistakes_are_told_without_the_engine(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "guard.yaml").write_text("version: 1\nroutes: []\n")
    shipped = (resources.rules_dir() / "policies" / "mask.yaml").read_text()
    (tmp_path / "policies" / "mask.yaml").write_text(shipped.replace("PHONE_NUMBER", "PHONE_NUMBR"))
    packages = loaded(["lint", str(tmp_path)])
    assert "pydantic" in packages
    assert packages.isdisjoint(DEAR)


@pytest.mark.parametrize(
    "policy", sorted(path.stem for path in (resources.rules_dir() / "policies").glob("*.yaml") if "." not in path.stem)
)
def test_the_first_message_imports_nothing(policy: str) -> None:
    code = """
import json, sys
import anyio
from proxy_guard import Guard, Message

async def main(url, text):
    guard = Guard.from_rules(policy=sys.argv[1])
    before = set(sys.modules)
    for direction, body in (
        ("request", {"messages": [{"role": "user", "content": text}]}),
        ("response", {"choices": [{"message": {"content": text}}]}),
    ):
        head = (("content-type", "application/json"),)
        status = 200 if direction == "response" else None
        verdict = await guard.inspect(Message(direction, "POST", url, head, json.dumps(body).encode(), status))
        assert verdict.findings
    print(*sorted(set(sys.modules) - before))

anyio.run(main, *sys.argv[2:])
"""
    assert run(code, policy, CHAT, VALUES).split() == []
