import pytest

from proxy_guard.detect import addresses

RECOGNIZERS = addresses.recognizers()


def found(text: str) -> set[str]:
    return {
        text[each.start : each.end] for recognizer in RECOGNIZERS for each in recognizer.analyze(text, ["LOCATION"])
    }


@pytest.mark.parametrize(
    "address",
    [
        "12 Baker Street, London NW1 6XE",
        "221B Baker Street",
        "Flat 4, 17 Station Road, Leeds LS1 4DY",
        "Musterstraße 12, 10115 Berlin",
        "Hauptstr. 5a",
        "Unter den Linden 77",
        "12 rue de la Paix, 75002 Paris",
        "4 bis boulevard Voltaire, 69003 Lyon",
        "Via Roma 3, 00184 Roma",
        "Calle Mayor 5, 2º B",
        "Prinsengracht 263, 1016 GV Amsterdam",
        "Drottninggatan 71, 111 51 Stockholm",
        "ul. Marszałkowska 10",
        "Av. Paulista, 1578",
        "MG Road, Bengaluru 560001",
        "H.No. 12, Gandhi Nagar",
        "PO Box 123",
        "1600 Pennsylvania Ave NW, Washington, DC 20500",
        "350 W 34th St, New York, NY 10018",
        "No. 88 Nanjing Road, Shanghai 200001",
        "Atatürk Caddesi No: 14, Ankara",
        "2-11-3 Meguro, Meguro-ku, Tokyo 153-0063",
    ],
)
@pytest.mark.parametrize(
    "sentence", ["{}", "Please send it to {}.", "we live at {}, and you?", "Name: x\n{}\nPhone: 1"]
)
def test_an_address_is_found_whole_and_nothing_around_it(address: str, sentence: str) -> None:
    assert found(sentence.format(address)) >= {address}


@pytest.mark.parametrize("address", ["12 baker street", "4 oak avenue, boston", "hauptstraße 12", "calle mayor 5"])
def test_an_address_in_a_chat_without_capitals(address: str) -> None:
    assert found(f"hi, can you come to {address} pls") >= {address}


@pytest.mark.parametrize(
    "text",
    [
        "Go 200 metres down the road and turn left.",
        "The court has 12 judges and one way to win is to wait.",
        "it is a 20 minute drive from the main street",
        "We have 3 ways to square this circle.",
        "It took 15 hours, place the order now.",
        "Version 3.2.1 fixes 14 bugs in drive letters.",
        "via port 8080 you reach the app",
        "In chapter 5 the ring is lost.",
        "I bought 12 large pizzas at the park.",
        "use str 5 and decode 3, then weg",
    ],
)
def test_ordinary_words_are_no_address(text: str) -> None:
    assert found(text) == set()


def test_how_the_sentence_goes_on_is_no_town() -> None:
    assert found("I sent it to 690 High Street, Anna says it never came.") == {"690 High Street", "High Street"}


@pytest.mark.parametrize(
    "text", ["1 " * 20_000, "12 Oak " * 8_000, "A" * 50_000, "Calle " * 10_000, "rue de la " * 8_000]
)
def test_a_hostile_text_is_read_in_time(text: str) -> None:
    found(text)  # a recognizer that takes more than seconds raises
