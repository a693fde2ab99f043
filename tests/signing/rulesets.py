"""The shipped rules with connections that hold secrets for signatures. The secrets are of the vendors' own examples."""

from __future__ import annotations

import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from proxy_guard import resources

SECRETS = {
    "SLACK_SECRET": "8f742231b10e8888abcd99yyyzzz85a5",
    "SLACK_OLD": "of-last-month",
    "META_SECRET": "It's a Secret to Everybody",
    "TWILIO_TOKEN": "12345",
    "LINE_SECRET": "channel_secret",
    "INTERCOM_SECRET": "of-intercom",
    "APP_SECRET": "what the application knows",
    "AWS_KEY": "AKIDEXAMPLE",
    "AWS_SECRET": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "SIDECAR_URL": "http://sidecar.example.com:8080",
}
PUBLIC = "https://mycompany.com"

_SIGNATURE = "version: 1\nname: {name}\nkind: signature\nsecrets: [{secrets}]\n{more}"
_AWS = "version: 1\nname: {name}\nkind: aws\naccess_key_id: ${{env:AWS_KEY}}\nsecret_access_key: ${{env:AWS_SECRET}}\n{more}"
_HOME = """\
version: 1
name: homemade
match: {paths: ["/homemade"]}
request:
  - {path: "$.text"}
webhooks:
  signatures:
    - {header: Authorization, algorithm: hmac-sha512, encoding: base64, prefix: "HMAC ", key: base64,
       signed: "{method} {url} {header:X-Id} {timestamp} {body}", timestamp: X-Time, max_age: 60}
"""
_ACKNOWLEDGING = """\
version: 1
name: acknowledging
entities:
  PHONE_NUMBER: {action: block}
block: {as: acknowledge}
"""
_GUARD = """\
version: 1
routes:
  - {paths: ["/plain/**"], policy: mask}
  - {paths: ["/drop/**"], policy: acknowledging, signatures: {slack: slack-app}}
  - {paths: ["/observe/**"], policy: observe, signatures: {slack: slack-app, whatsapp-cloud: meta-app}}
  - {paths: ["/app/**"], policy: mask, signatures: {whatsapp-cloud: meta-for-app, twilio-messaging: twilio-for-app}}
  - {paths: ["/model/sidecar/**"], policy: mask, signatures: {bedrock-converse: aws-sidecar}}
  - {paths: ["/model/anyone/**"], policy: mask, signatures: {bedrock-converse: aws-anyone}}
  - policy: mask
    signatures: {slack: slack-app, slack-commands: slack-app, whatsapp-cloud: meta-app, twilio-messaging: twilio-app,
      line: line-app, intercom-webhooks: intercom-app, freshchat-webhooks: freshchat-app, bedrock-converse: aws,
      homemade: homemade-app}
"""


def make_rules(folder: Path) -> Path:
    rules = folder / "rules"
    shutil.copytree(resources.rules_dir(), rules)
    (rules / "guard.yaml").write_text(_GUARD)
    (rules / "apis" / "homemade.yaml").write_text(_HOME)
    (rules / "policies" / "acknowledging.yaml").write_text(_ACKNOWLEDGING)
    provider, app = (rsa.generate_private_key(65537, 2048) for _ in range(2))
    pem = {"provider.pub": _public(provider), "provider.key": _private(provider)}
    pem |= {"app.pub": _public(app), "app.key": _private(app)}
    for name, content in pem.items():
        (folder / name).write_bytes(content)

    def connection(name: str, secrets: str, more: str = "") -> None:
        text = _SIGNATURE.format(name=name, secrets=secrets, more=more)
        (rules / "connections" / f"{name}.yaml").write_text(text)

    connection("slack-app", '"${env:SLACK_OLD}", "${env:SLACK_SECRET}"')
    connection("meta-app", '"${env:META_SECRET}"')
    connection("meta-for-app", '"${env:META_SECRET}"', "sign_with: ${env:APP_SECRET}\n")
    connection("twilio-app", '"${env:TWILIO_TOKEN}"', f"public_url: {PUBLIC}\n")
    connection("twilio-for-app", '"${env:TWILIO_TOKEN}"', f"public_url: {PUBLIC}\nsign_with: ${{env:APP_SECRET}}\n")
    connection("line-app", '"${env:LINE_SECRET}"')
    connection("intercom-app", '"${env:INTERCOM_SECRET}"')
    connection("freshchat-app", f'"${{file:{folder}/provider.pub}}"', f"sign_with: ${{file:{folder}/app.key}}\n")
    connection("homemade-app", '"${env:HOMEMADE_KEY}"', "public_url: https://bot.example.com/hooks\n")
    for name, more in (("aws", ""), ("aws-sidecar", "public_url: ${env:SIDECAR_URL}\n"), ("aws-anyone", "verify: false\nsession_token: ${env:APP_SECRET}\n")):  # fmt: skip
        (rules / "connections" / f"{name}.yaml").write_text(_AWS.format(name=name, more=more))
    return rules


def _public(key: rsa.RSAPrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def _private(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


SECRETS["HOMEMADE_KEY"] = "c2VjcmV0LW9mLW91cnM="
