"""Mails: header fields and parts of every type, in the encodings that they came in."""

from __future__ import annotations

import email
import random
from email import policy
from email.message import EmailMessage

import pytest

from proxy_guard.media import MediaSettings, Redacted, Unscrubbable, scrub
from tests.media import office_files
from tests.media.replacing import replacing
from tests.media.test_office import left as left_in_package
from tests.media.values import Planted
from tests.media.values import email as address

PHONE = "+91 98765 43210"


def scrubbed(data: bytes) -> Redacted:
    return scrub(data, "message/rfc822", replacing(), MediaSettings())


def opened(data: bytes) -> EmailMessage:
    made = email.message_from_bytes(data, policy=policy.default)
    assert isinstance(made, EmailMessage)
    return made


def mail(plan: Planted) -> bytes:
    """Texts, an attached document, and a mail within the mail."""
    made = EmailMessage()
    made["From"] = f"Ann <{plan.of(address).text}>"
    made["To"] = "desk@example.com"
    made["Subject"] = f"Réf {plan.line()}"
    made["X-Note"] = plan.line()
    made.set_content(plan.line() + "\nçà\n", cte="quoted-printable")
    made.add_alternative(f"<p>{plan.line()}</p>", subtype="html", cte="base64")
    made.add_attachment(plan.line(), subtype="csv", filename=f"{plan.line()}.csv")
    made.add_attachment(
        office_files.make_xlsx(plan),
        maintype="application",
        subtype="vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        filename="list.xlsx",
    )
    inner = EmailMessage()
    inner["Subject"] = plan.line()
    inner.set_content(plan.line())
    made.add_attachment(inner)
    return made.as_bytes(policy=policy.SMTP)


def texts(data: bytes) -> str:
    """All that a mail says, decoded, but for documents."""
    found: list[str] = [data.decode("latin-1")]
    for part in opened(data).walk():
        found += [f"{name}: {value}" for name, value in part.items()]
        if part.get_content_maintype() == "text":
            found.append(part.get_payload(decode=True).decode(part.get_content_charset("utf-8")))  # type: ignore[union-attr]
    return "\n".join(found)


def left(seed: int) -> list[str]:
    plan = Planted(seed)
    after = scrubbed(mail(plan)).data
    found = [value.kind for value in plan.values if value.text in texts(after)]
    for part in opened(after).walk():
        if part.get_filename() == "list.xlsx":
            data = part.get_payload(decode=True)
            assert isinstance(data, bytes)
            found += [kind for _, kind in left_in_package(data, plan)]
            return found
    raise AssertionError("the document is lost")


@pytest.mark.parametrize("seed", range(6))
def test_no_value_is_left(seed: int) -> None:
    assert left(seed) == []


@pytest.mark.slow
def test_no_value_is_left_in_many() -> None:
    assert [(seed, found) for seed in range(1000, 1150) if (found := left(seed))] == []


def test_words_types_and_encodings_stay() -> None:
    done = opened(scrubbed(mail(Planted(1))).data)
    assert "EMAIL_ADDRESS" in str(done["To"])
    assert str(done["Subject"]).startswith("Réf ")
    parts = [(part.get_content_type(), part.get("content-transfer-encoding")) for part in done.walk()]
    before = [
        (part.get_content_type(), part.get("content-transfer-encoding")) for part in opened(mail(Planted(1))).walk()
    ]
    assert parts == before
    assert "çà" in done.get_body(("plain",)).get_content()  # type: ignore[union-attr]


def test_what_stands_between_the_parts_is_gone() -> None:
    data = f'From: a\nSubject: b\nDKIM-Signature: v=1; d={PHONE}\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="{PHONE}"; x="{PHONE}"\n\n{PHONE}\n--{PHONE}\n\nhello\n--{PHONE}--\n{PHONE}\n'
    after = scrubbed(data.encode()).data.decode()
    assert "43210" not in after
    assert "hello" in after


def test_a_signed_mail_goes_on_unsigned() -> None:
    data = b'From: a\nSubject: b\nContent-Type: multipart/signed; protocol="application/pgp-signature"; boundary=x\n\n--x\n\nhello\n--x\nContent-Type: application/pgp-signature\n\nsigned by ann@example.com\n--x--\n'
    done = opened(scrubbed(data).data)
    assert [part.get_content_type() for part in done.walk()] == ["multipart/mixed", "text/plain"]


@pytest.mark.parametrize(
    ("cause", "data"),
    [
        ("encrypted", b"From: a\nSubject: b\nContent-Type: application/pkcs7-mime\n\nx"),
        ("encrypted", b"From: a\nContent-Type: multipart/encrypted; boundary=x\n\n--x\n\nx\n--x--\n"),
        ("unreadable", b"From: a\nContent-Transfer-Encoding: x-uuencode\n\nx"),
        ("unreadable", b"From: a\nContent-Type: multipart/mixed\n\nx"),
        ("unreadable", b"From: a\nContent-Type: text/plain; charset=utf-7\n\n+AGE-"),
        ("unsupported_media", b"From: a\nContent-Type: audio/wav\n\nRIFF\x24\0\0\0WAVEfmt \0\0"),
        ("lying_type", b"From: a\nContent-Type: image/png\n\nwords"),
        ("too_large", b"From: a\nContent-Type: message/rfc822\n\n" * 12 + b"From: b\n\nx"),
    ],
)
def test_what_is_refused(cause: str, data: bytes) -> None:
    with pytest.raises(Unscrubbable) as refused:
        scrubbed(data)
    assert refused.value.cause == cause


def survives(data: bytes) -> bool:
    try:
        scrubbed(data)
    except Unscrubbable:
        return False
    return True


def harmed(data: bytes, draw: random.Random) -> bytes:
    out = bytearray(data)
    for _ in range(draw.randrange(1, 4)):
        at = draw.randrange(min(len(out), 3000))
        size = draw.choice([1, 1, 4, 60])
        out[at : at + size] = draw.choice(
            [b"", draw.randbytes(size), bytes(out[at : at + size]) * 3, b"=?utf-8?b?", b'"\r\n', b"\0"]
        )
    return bytes(out)


def test_broken_mails_are_refused_or_read_and_nothing_else_happens() -> None:
    draw = random.Random("mail")
    data = mail(Planted(2))[:1400]  # without the document: nearly all harm to it is seen
    assert len({survives(harmed(data, draw)) for _ in range(40)}) == 2


@pytest.mark.slow
def test_many_broken_mails() -> None:
    draw = random.Random("mail many")
    data = mail(Planted(3))
    for _ in range(500):
        survives(harmed(data, draw))


def test_lines_end_as_they_did() -> None:
    data = f"From: a\nSubject: {PHONE}\n\nx\n".encode()
    assert b"\r" not in scrubbed(data).data
    assert scrubbed(data.replace(b"\n", b"\r\n")).data.count(b"\r\n") == 4
