import pytest

from proxy_guard.detect import names

RECOGNIZERS = names.recognizers()


def found(text: str) -> set[str]:
    return {text[each.start : each.end] for recognizer in RECOGNIZERS for each in recognizer.analyze(text, ["PERSON"])}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Hi, my name is Xanthe Quibell and I am late", "Xanthe Quibell"),
        ("my name is xanthe quibell", "xanthe quibell"),
        ("Ask Mr. Quibell or Dr Zzyzx.", "Quibell"),
        ("Kind regards,\nXanthe Quibell", "Xanthe Quibell"),
        ("Name: Xanthe Quibell\nPhone: 1", "Xanthe Quibell"),
        ("Dear Xanthe,\nhow are you", "Xanthe"),
        ("My landlord is called Xanthe Quibell.", "Xanthe Quibell"),
        ("I gave it to Maria de la Cruz yesterday", "Maria de la Cruz"),
        ("hi im ravi kumar from pune", "ravi kumar"),
        ("it is Priya's laptop", "Priya"),
        ("Will Smith called", "Will Smith"),
        ("J. Kowalski called", "J. Kowalski"),
    ],
)
def test_a_name_is_found_whole(text: str, name: str) -> None:
    assert name in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "Hi team, will you be there in May?",
        "Dear Sir or Madam,",
        "I am British and I asked for help",
        "I'm Sorry, this is Important",
        "The product manager asked the team lead",
        "Regards,\nCustomer Support",
        "Hello World!",
        "mark the box, then rob the bank, and sue me",
        "We rose early and hope for grace",
        "Name: true",
    ],
)
def test_ordinary_words_are_no_name(text: str) -> None:
    assert found(text) == set()


@pytest.mark.parametrize(
    ("span", "name"),
    [
        ("Dr. Anna Weber's", "Anna Weber"),
        ("Hi Anna,", "Anna"),
        ("Docker", None),
        ("May", None),
        ("Anna\nPhone", "Anna"),
    ],
)
def test_a_span_of_a_model_is_cut_down_to_the_name(span: str, name: str | None) -> None:
    kept = names.trimmed(span, 0, len(span))
    assert (span[slice(*kept)] if kept else None) == name


@pytest.mark.parametrize("text", ["Name: " * 10_000, "A. " * 20_000, "my name is " * 8_000, "maria " * 10_000])
def test_a_hostile_text_is_read_in_time(text: str) -> None:
    found(text)  # a recognizer that takes more than seconds raises
