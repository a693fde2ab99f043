"""QR codes and barcodes are read, and painted over where a policy acts on what they say."""

import random
import zlib

import numpy as np
import zxingcpp
from PIL import Image

from proxy_guard.media import MediaSettings
from proxy_guard.media.codes import said
from proxy_guard.media.pictures import redact_picture
from tests.media.replacing import replacing


def with_code(text: str) -> Image.Image:
    barcode = zxingcpp.create_barcode(text, zxingcpp.BarcodeFormat.QRCode)
    drawn = Image.fromarray(np.array(zxingcpp.write_barcode_to_image(barcode, scale=4)))
    page = Image.new("RGB", (500, 500), "white")
    page.paste(drawn, (100, 100))
    return page


def test_a_code_with_a_finding_is_painted_over() -> None:
    page = with_code("MECARD:N:Iyer;TEL:+919876543210;;")
    done = redact_picture(page, replacing(), MediaSettings(codes=True))
    assert {each.entity for each in done.regions} == {"PHONE_NUMBER"}
    assert zxingcpp.read_barcodes(np.asarray(done.picture)) == []


def test_a_code_without_one_stays_and_so_do_all_where_they_are_not_asked_for() -> None:
    assert redact_picture(with_code("https://example.com/menu"), replacing(), MediaSettings(codes=True)).regions == ()
    assert redact_picture(with_code("TEL:+919876543210"), replacing(), MediaSettings()).regions == ()


def test_the_fields_of_an_aadhaar_are_unpacked() -> None:
    fields = b"\xff".join([b"V2", b"3", b"269720190308114407437", b"Asha Iyer", random.Random(1).randbytes(400)])
    packer = zlib.compressobj(wbits=31)
    number = str(int.from_bytes(packer.compress(fields) + packer.flush(), "big"))
    assert said(number).startswith("Government of India Aadhaar V2 3 269720190308114407437 Asha Iyer")
    assert said("7" * 400) == "7" * 400
    assert said("plain text") == "plain text"
    assert said('<?xml version="1.0"?><PrintLetterBarcodeData uid="999"/>').startswith("Government of India Aadhaar")
