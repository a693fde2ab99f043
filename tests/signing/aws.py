"""botocore's own arithmetic as the judge of AWS signatures."""

from __future__ import annotations

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials


def is_valid(method: str, url: str, headers: list[tuple[str, str]], body: bytes, key: str, secret: str) -> bool:
    """Whether the Authorization header is what botocore makes of the rest, as received."""
    named = {name.lower(): value for name, value in headers}
    given = dict(part.split("=", 1) for part in named["authorization"].partition(" ")[2].replace(" ", "").split(","))
    access_key, _, region, service, _ = given["Credential"].split("/")
    signed = given["SignedHeaders"].split(";")
    request = AWSRequest(method, url, headers={name: named[name] for name in signed if name in named}, data=body)
    request.context["timestamp"] = named["x-amz-date"]
    if "x-amz-content-sha256" in named.keys() - signed:
        request.headers["X-Amz-Content-SHA256"] = named["x-amz-content-sha256"]
    auth = SigV4Auth(Credentials(key, secret), service, region)
    canonical = auth.canonical_request(request)
    return access_key == key and auth.signature(auth.string_to_sign(request, canonical), request) == given["Signature"]
