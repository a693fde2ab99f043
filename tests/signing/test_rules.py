"""Mistakes about signatures in rule files are told with their place, and without a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy_guard.errors import RulesError
from proxy_guard.rules.load import load_rules

API = "version: 1\nname: a\nmatch: {paths: [/x]}\nrequest: [{path: $.t}]\n"
SIGNED = API + "webhooks: {signatures: [slack]}\n"
GUARD = "version: 1\nroutes:\n  - {policy: mask, signatures: {a: app}}\n"
APP = "version: 1\nname: app\nkind: signature\nsecrets: ['${env:APP}']\n"
POLICY = "version: 1\nname: mask\nentities:\n  PHONE_NUMBER: {action: mask}\n"
SOUND = {"apis/a.yaml": SIGNED, "guard.yaml": GUARD, "connections/app.yaml": APP, "policies/mask.yaml": POLICY}
OWN = API + "webhooks: {signatures: [{header: X-S, %s}]}\n"


def load(folder: Path, **changed: str) -> None:
    for name, text in (SOUND | {name.replace("__", "/") + ".yaml": text for name, text in changed.items()}).items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    load_rules(folder)


def test_sound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP", "hunter2hunter2")
    load(tmp_path)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"guard": GUARD.replace("a: app", "a: ap")}, "guard.yaml:3:33: routes[0].signatures.a: there is no 'ap'"),
        ({"guard": GUARD.replace("a: app", "b: app")}, "routes[0].signatures.b: the API description is not there"),
        ({"apis__a": API}, "routes[0].signatures.a: the API description has no signature"),
        ({"apis__a": API + "signatures: [aws-sigv4]\n"}, "app.yaml:3:1: kind: AWS signatures need a connection of `kind: aws`"),
        ({"apis__a": API + "signatures: [slak]\n"}, "signatures[0]: must be one of"),
        ({"apis__a": API + "signatures: [slack]\nwebhooks: {signatures: [line]}\n"}, "`signatures` are those of all requests"),
        ({"apis__a": OWN % "signed: '{x}{body}'"}, "unknown placeholder {x}"),
        ({"apis__a": OWN % "signed: '{url}'"}, "what is signed has no {body}"),
        ({"apis__a": OWN % "signed: '{timestamp}{body}'"}, "`timestamp` names a header"),
        ({"apis__a": OWN % "timestamp: X-T"}, "`timestamp` names a header"),
        ({"apis__a": OWN % "max_age: 5"}, "`max_age` needs a `timestamp`"),
        ({"apis__a": OWN % "key: base64"}, "app.yaml:3:1: kind: the secret is not in base64"),
        ({"apis__a": OWN % "key: hex"}, "app.yaml:3:1: kind: the secret is not in hex"),
        ({"apis__a": OWN % "algorithm: rsa-sha256"}, "the secret is no public RSA key in PEM"),
        ({"connections__app": APP + "sign_wit: ${env:APP}\n"}, "sign_wit: unknown key (did you mean sign_with?)"),
        ({"connections__app": APP.replace("${env:APP}", "hunter2hunter2")}, "a secret never stands in a file"),
        ({"connections__app": APP.replace("['${env:APP}']", "[]")}, "app.yaml:4:1: secrets:"),
        ({"connections__app": APP + "public_url: bot.example.com\n"}, "`public_url` is of the form"),
        ({"connections__app": APP.replace("APP}", "NONE}")}, "the environment variable NONE is not set"),
        ({"connections__other": APP}, "another one has the name 'app' already"),
    ],
)  # fmt: skip
def test_a_mistake_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str], told: str) -> None:
    monkeypatch.setenv("APP", "hunter2 hunter2!")
    with pytest.raises(RulesError) as caught:
        load(tmp_path, **changed)
    assert told in str(caught.value)
    assert "hunter2" not in str(caught.value)
