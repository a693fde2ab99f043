"""Identity documents as a whole."""

import pytest

from proxy_guard.detect import Detector

detector = Detector(["IDENTITY_DOCUMENT"], "en")
MRZ = "P<UTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\nL898902C36UTO7408122F1204159ZE184226B<<<<<10"
CARD = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
AADHAAR = "Government of India\nAsha Iyer\nDOB: 01/01/1987\nFemale\n2345 6789 0124\nMera Aadhaar, meri pehchaan"
PAN = "INCOME TAX DEPARTMENT GOVT. OF INDIA\nASHA IYER\n01/01/1987\nPermanent Account Number\nABCPE1234F"


@pytest.mark.parametrize("text", [MRZ, CARD, AADHAAR, PAN, PAN.replace(" ", "").replace("ASHAIYER", "ASHA IYER")])
def test_a_document_is_found(text: str) -> None:
    (finding,) = detector.detect(text)
    assert finding.entity == "IDENTITY_DOCUMENT"


def test_both_lines_of_a_passport_are_in_the_span() -> None:
    (finding,) = detector.detect(f"see\n{MRZ}\nthanks")
    assert f"see\n{MRZ}\nthanks"[finding.start : finding.end] == MRZ


@pytest.mark.parametrize(
    "text",
    [
        "My PAN is ABCPE1234F",
        "The Government of India said so",
        "Aadhaar 2345 6789 0124",
        "Order 7408122F1204159 is on its way",
        MRZ.replace("7408122F", "7408123F"),
        "Income Tax Department, please call 98765 43210",
    ],
)
def test_a_number_or_a_word_alone_is_none(text: str) -> None:
    assert detector.detect(text) == []
