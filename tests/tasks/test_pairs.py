"""Two texts: their room in a window, classes and scores of pairs, the corpora that hold them."""

from __future__ import annotations

import random
import shutil
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import TINY, job, lay, read, tsv, write
from hypothesis import given
from hypothesis import strategies as st

from ratsnlp_like.corpora.files import FilesCorpus
from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.examples.base import Example, Place
from ratsnlp_like.examples.pair import PairExample, ScoredPairExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.metrics.similarity import similarity_scores
from ratsnlp_like.registry import CORPORA
from ratsnlp_like.tasks.base import Statistics, Window
from ratsnlp_like.tasks.pair import PairClassification
from ratsnlp_like.tasks.pair_encoding import share_capacity
from ratsnlp_like.tasks.similarity import ScorePrediction, Similarity
from ratsnlp_like.training.finetune import fine_tune

near: Any = pytest.approx
LENGTHS = st.integers(0, 200)


# Room


@pytest.mark.parametrize(
    ("first", "second", "room", "kept"),
    [
        (3, 4, 7, (3, 4)),
        (0, 0, 1, (0, 0)),
        (3, 4, 6, (3, 3)),
        (9, 2, 6, (4, 2)),  # the longer one gives way
        (2, 9, 6, (2, 4)),
        (9, 9, 6, (3, 3)),
        (9, 9, 7, (4, 3)),  # the odd token goes to the first
        (9, 3, 7, (4, 3)),
        (3, 9, 7, (3, 4)),
        (0, 9, 4, (0, 4)),
        (9, 0, 4, (4, 0)),
        (9, 9, 1, (1, 0)),
        (0, 9, 1, (0, 1)),
    ],
)
def test_share_capacity(first: int, second: int, room: int, kept: tuple[int, int]) -> None:
    assert share_capacity(first, second, room) == kept


@given(LENGTHS, LENGTHS, st.integers(1, 300))
def test_room_is_shared_fairly(first: int, second: int, room: int) -> None:
    kept, kept_pair = share_capacity(first, second, room)
    assert 0 <= kept <= first
    assert 0 <= kept_pair <= second
    assert kept + kept_pair == min(room, first + second)  # none is left unused, none too much is taken
    assert kept >= min(first, room // 2)
    assert kept_pair >= min(second, room // 2)
    if kept < first and kept_pair < second:
        assert abs(kept - kept_pair) <= 1  # the longer one gives way until both are of one length


# Windows


def ids(tokenizer: Any, text: str) -> list[int]:
    """Of words that are tokens."""
    found: list[int] = tokenizer.convert_tokens_to_ids(text.split())
    assert tokenizer.unk_token_id not in found
    return found


class TestEncode:
    def test_a_pair(self, tiny_tokenizer: Any) -> None:
        (features,) = PairClassification().encode(
            [PairExample("가 나 다", "고 공", "b")], tiny_tokenizer, ["a", "b"], 16
        )
        assert features == {
            "input_ids": [2, *ids(tiny_tokenizer, "가 나 다"), 3, *ids(tiny_tokenizer, "고 공"), 3],
            "token_type_ids": [0, 0, 0, 0, 0, 1, 1, 1],
            "example": 0,
            "lost": 0,
            "labels": 1,
        }

    @pytest.mark.parametrize(
        ("texts", "kept", "types", "lost"),
        [
            (("가 나 다 고 공", "구 국"), ("가 나", "구 국"), [0] * 4 + [1] * 3, 3),
            (("가", "구 국 기 김 나"), ("가", "구 국 기"), [0] * 3 + [1] * 4, 2),
            (("가 나 다 고 공", "구 국 기 김"), ("가 나", "구 국"), [0] * 4 + [1] * 3, 5),
            (("", "구 국 기 김 나"), ("", "구 국 기 김"), [0] * 2 + [1] * 5, 1),
            (("가 나", "구 국"), ("가 나", "구 국"), [0] * 4 + [1] * 3, 0),
        ],
    )
    def test_a_pair_that_is_too_long(
        self, texts: tuple[str, str], kept: tuple[str, str], types: list[int], lost: int, tiny_tokenizer: Any
    ) -> None:
        """Four tokens of text in a window of seven."""
        first, second = (ids(tiny_tokenizer, text) for text in kept)
        (features,) = PairClassification().encode_inputs([PairExample(*texts)], tiny_tokenizer, 7)
        assert features == {
            "input_ids": [2, *first, 3, *second, 3],
            "token_type_ids": types,
            "example": 0,
            "lost": lost,
        }

    def test_each_pair_is_numbered(self, tiny_tokenizer: Any) -> None:
        pairs = [PairExample("가", "나", "a"), PairExample("다", "고", "b"), PairExample("공", "구", "a")]
        windows = PairClassification().encode(pairs, tiny_tokenizer, ["a", "b"], 16)
        assert [(w["example"], w["labels"]) for w in windows] == [(0, 0), (1, 1), (2, 0)]

    def test_without_token_types(self, tiny_bpe_tokenizer: Any) -> None:
        (features,) = PairClassification().encode_inputs([PairExample("ab", "cd")], tiny_bpe_tokenizer, 16)
        both = [tiny_bpe_tokenizer(text)["input_ids"] for text in ("ab", "cd")]
        assert features == {"input_ids": both[0] + both[1], "example": 0, "lost": 0}

    def test_both_texts_are_normalised(self, tiny_tokenizer: Any) -> None:
        task = PairClassification(normalization=("nfc",))
        composed, taken_apart = "가", "\u1100\u1161"
        (features,) = task.encode_inputs([PairExample(taken_apart, taken_apart)], tiny_tokenizer, 16)
        one = ids(tiny_tokenizer, composed)
        assert features["input_ids"] == [2, *one, 3, *one, 3]

    def test_an_unknown_label_names_the_row(self, tiny_tokenizer: Any) -> None:
        pair = PairExample("가", "나", "c", place=Place("pairs.tsv", 7))
        with pytest.raises(InputError, match=r"pairs\.tsv, line 7: the label 'c' is not among .*"):
            PairClassification().encode([pair], tiny_tokenizer, ["a", "b"], 16)

    @pytest.mark.parametrize("length", [0, 3])
    def test_no_room(self, length: int, tiny_tokenizer: Any) -> None:
        with pytest.raises(InputError, match="no room for text besides the special tokens") as caught:
            PairClassification().encode_inputs([PairExample("가", "나")], tiny_tokenizer, length)
        assert "at least 4" in str(caught.value)

    def test_scores_are_learnt_from_0_to_1(self, tiny_tokenizer: Any) -> None:
        pairs = [ScoredPairExample("가", "나", score) for score in (0.0, 1.0, 5.0)]
        assert [w["labels"] for w in Similarity().encode(pairs, tiny_tokenizer, [], 16)] == [0, 0.2, 1]
        other = Similarity(lowest=-5, highest=15)
        assert [w["labels"] for w in other.encode(pairs, tiny_tokenizer, [], 16)] == [0.25, 0.3, 0.5]
        assert "labels" not in Similarity().encode_inputs(pairs, tiny_tokenizer, 16)[0]


# Scores


class TestSimilarity:
    @pytest.mark.filterwarnings("error")
    @pytest.mark.parametrize("seed", range(20))
    def test_as_scipy_and_scikit_learn_have_it(self, seed: int) -> None:
        from scipy.stats import pearsonr, spearmanr
        from sklearn.metrics import f1_score

        dice = random.Random(seed)
        size = dice.randint(2, 60)
        gold = [1.0, 4.0, *(dice.choice([0, 0.5, 1, 2.4, 3, 3.6, 5]) for _ in range(size))]  # many ties
        said = [0.0, 2.0, *(round(dice.uniform(0, 5), 1) if seed % 2 else float(dice.randint(0, 5)) for _ in gold[2:])]
        threshold = dice.choice([1.0, 3.0, 3.5])
        result = similarity_scores(gold, said, threshold)
        assert result["pearson"] == near(pearsonr(gold, said).statistic)
        assert result["spearman"] == near(spearmanr(gold, said).statistic)
        right, found = np.array(gold) >= threshold, np.array(said) >= threshold
        assert result["f1_at_threshold"] == near(f1_score(right, found, zero_division=0))

    def test_by_hand(self) -> None:
        # deviations -1 0 1 and -1 1 0: covariance 1, variances 2 and 2; the ranks are the same numbers
        result = similarity_scores([1, 2, 3], [2, 4, 3], threshold=3)
        assert result["pearson"] == near(1 / 2)
        assert result["spearman"] == near(1 / 2)
        assert result["f1_at_threshold"] == near(2 * 1 / (1 + 2))  # a score of 3 is a paraphrase

    @pytest.mark.parametrize(("gold", "said"), [([1, 2, 3], [2, 2, 2]), ([4, 4], [1, 5]), ([1], [1]), ([], [])])
    @pytest.mark.filterwarnings("error")
    def test_a_side_that_does_not_vary(self, gold: list[float], said: list[float]) -> None:
        result = similarity_scores(gold, said, 3.0)
        assert (result["pearson"], result["spearman"]) == (0, 0)

    def test_no_paraphrases(self) -> None:
        assert similarity_scores([1, 2], [2, 1], 3.0) == near({"pearson": -1, "spearman": -1, "f1_at_threshold": 0})

    def test_unequal_lengths(self) -> None:
        with pytest.raises(ValueError, match="gold has 2, predicted has 1"):
            similarity_scores([1, 2], [1], 3.0)

    def test_the_threshold_is_the_tasks(self) -> None:
        examples = [ScoredPairExample("가", "나", score) for score in (1.0, 2.0, 4.0)]
        predictions = [ScorePrediction(score) for score in (2.5, 1.0, 4.0)]
        assert Similarity().score(predictions, examples, [])["f1_at_threshold"] == 1
        assert Similarity(threshold=2.0).score(predictions, examples, [])["f1_at_threshold"] == 2 * 1 / (2 + 2)

    @pytest.mark.parametrize(
        ("raw", "score"), [(0.0, 1.0), (0.5, 2.0), (1.0, 3.0), (-0.5, 1.0), (7.0, 3.0), (0.25, 1.5)]
    )
    def test_decode(self, raw: float, score: float) -> None:
        prediction = Similarity(lowest=1, highest=3).decode(ScoredPairExample("", ""), [Window({}, raw)], [])
        assert prediction == ScorePrediction(near(score))

    @pytest.mark.parametrize(("lowest", "highest"), [(5, 0), (1, 1)])
    def test_no_range(self, lowest: float, highest: float) -> None:
        with pytest.raises(InputError, match=f"--lowest, --highest: scores from {lowest} to {highest}"):
            Similarity(lowest=lowest, highest=highest)

    @pytest.mark.parametrize("threshold", [17.0, 0.0, -1.0])
    def test_a_threshold_beyond_the_scale(self, threshold: float) -> None:
        with pytest.raises(InputError, match=r"--threshold: .*\n.*above 0.0, at most 5.0"):
            Similarity(threshold=threshold)

    def test_the_threshold_goes_with_the_scale(self) -> None:
        examples = [ScoredPairExample("가", "나", score) for score in (0.2, 0.7)]
        predictions = [ScorePrediction(score) for score in (0.59, 0.61)]
        assert Similarity(highest=1.0).score(predictions, examples, [])["f1_at_threshold"] == 1

    @pytest.mark.parametrize("score", [-0.1, 5.1, None])
    def test_a_score_out_of_range(self, score: float | None, tiny_tokenizer: Any) -> None:
        row = ScoredPairExample("가", "나", score, place=Place("sts.tsv", 12))
        with pytest.raises(InputError) as caught:
            Similarity().encode([row], tiny_tokenizer, [], 16)
        message = str(caught.value)
        assert message.startswith(f"sts.tsv, line 12: the score is {score}\n")
        assert "from 0.0 to 5.0" in message
        assert "--lowest and --highest" in message
        with pytest.raises(InputError, match=r"sts\.tsv, line 12"):
            Similarity().fit(Statistics(rows=2, empty=0), [], [row], tiny_tokenizer)

    def test_scores_that_are_all_equal(self, tiny_tokenizer: Any) -> None:
        rows = [ScoredPairExample("가", "나", 2.5)] * 3
        with pytest.raises(InputError, match="all training rows have one score"):
            Similarity().fit(Statistics(rows=3, empty=0), [], rows, tiny_tokenizer)
        differ = [*rows, ScoredPairExample("가", "나", 2.6)]
        assert Similarity().fit(Statistics(rows=4, empty=0), [], differ, tiny_tokenizer) == Similarity()

    def test_loss(self, tiny_tokenizer: Any, tiny_model_folder: Callable[..., Path]) -> None:
        """The mean of the squared differences of the raw outputs."""
        import torch
        from transformers import AutoModelForSequenceClassification

        task = Similarity()
        model = AutoModelForSequenceClassification.from_pretrained(tiny_model_folder(), num_labels=1).eval()
        pairs = [ScoredPairExample("가 나", "다", 5.0), ScoredPairExample("고", "공 구 국", 1.0)]
        batch = task.collate(task.encode(pairs, tiny_tokenizer, [], 16), tiny_tokenizer)
        with torch.inference_mode():
            said = task.evaluate_batch(model, batch)
            loss = float(task.loss(model, batch))
        expected = ((said.raw[0] - 1.0) ** 2 + (said.raw[1] - 0.2) ** 2) / 2
        assert loss == near(float(expected))
        assert (float(said.loss), said.targets) == (near(loss), 2)


# Rows


class TestRows:
    @pytest.mark.parametrize(
        ("given", "score"),
        [
            ("3.8", 3.8),
            (" 4 ", 4.0),
            (4, 4.0),
            ("3.66666666666666", 3.66666666666666),
            ("-1e-1", -0.1),
            (None, None),
            ("", None),
            ("  ", None),
        ],
    )
    def test_a_score(self, given: Any, score: float | None) -> None:
        example = ScoredPairExample.from_row({"text": "가", "text_pair": "나", "score": given})
        assert example == ScoredPairExample("가", "나", score)
        assert example.missing == ("score" if score is None else None)

    @pytest.mark.parametrize(
        "given", ["높음", "nan", float("nan"), "inf", float("-inf"), True, "true", [3.0], {"a": 1}]
    )
    def test_no_score(self, given: Any) -> None:
        with pytest.raises(InputError) as caught:
            ScoredPairExample.from_row({"text": "가", "text_pair": "나", "score": given}, Place("sts.tsv", 3))
        message = str(caught.value)
        assert message.startswith(f"sts.tsv, line 3: the score is {given!r}")
        assert "--score_column" in message

    def test_a_score_of_hundreds_of_digits(self) -> None:
        with pytest.raises(InputError, match=r"sts\.tsv, line 3: the score is 1000"):
            ScoredPairExample.from_row({"text": "가", "text_pair": "나", "score": 10**400}, Place("sts.tsv", 3))

    def test_files(self, tmp_path: Path) -> None:
        """Columns by the names that others give them; scores that are text."""
        pairs = tsv(
            tmp_path / "p.tsv", [("비가 온다", "비", "1"), ("해", "눈", "0")], "Sentence1\tsentence2\tgold_label"
        )
        rows = read(pairs, tmp_path / "cache", PairExample)
        assert list(rows.examples()) == [PairExample("비가 온다", "비", "1"), PairExample("해", "눈", "0")]
        scored = tsv(tmp_path / "s.tsv", [("비가 온다", "비", "3.50"), ("해", "눈", "0")], "문장1\t문장2\t유사도")
        rows = read(scored, tmp_path / "cache", ScoredPairExample)
        assert list(rows.examples()) == [ScoredPairExample("비가 온다", "비", 3.5), ScoredPairExample("해", "눈", 0.0)]

    def test_a_bad_score_names_file_and_line(self, tmp_path: Path) -> None:
        path = tsv(tmp_path / "s.tsv", [("가", "나", "1"), ("다", "라", "??")], "sentence1\tsentence2\tscore")
        with pytest.raises(InputError, match=r"s\.tsv, line 3: the score is '\?\?'"):
            read(path, tmp_path / "cache", ScoredPairExample)

    def test_without_a_second_text(self, tmp_path: Path) -> None:
        path = tsv(tmp_path / "p.tsv", [("가", "1")], "premise\tlabel")
        with pytest.raises(InputError, match="no column for the text_pair") as caught:
            read(path, tmp_path / "cache", PairExample)
        assert "hypothesis" in str(caught.value)
        assert "--text_pair_column" in str(caught.value)

    def test_pairs_by_hand(self) -> None:
        assert PairExample.of(("가", "나")) == PairExample("가", "나")
        assert PairExample.of({"text": "가", "text_pair": "나"}) == PairExample("가", "나")
        for wrong in ("가", ("가",), ("가", "나", "다")):
            with pytest.raises(InputError, match=r"(?s)cannot read .*a tuple \(text, text_pair\)"):
                PairExample.of(wrong)


# Corpora


P, S = PairExample, ScoredPairExample
SAMPLES: dict[tuple[str, str], list[Example]] = {
    ("klue-nli", "train"): [
        P("비가 그쳐서 우산을 접었다.", "비가 왔었다.", "entailment"),
        P("가게는 열 시에 연다.", "가게는 아홉 시에 연다.", "contradiction"),
    ],
    ("klue-nli", "validation"): [P("동생이 책을 샀다.", "그 책은 소설이다.", "neutral")],
    ("kornli", "validation"): [
        P('그가 "비가 그쳤다고 말했다.', "비가 왔었다.", "entailment"),
        P("가게는 열 시에 연다.", "가게는 아홉 시에 연다.", "contradiction"),
    ],
    ("kornli", "test"): [P("동생이 책을 샀다.", "그 책은 소설이다.", "neutral")],
    ("question-pair", "train"): [
        P("헤어진 지 한 달 됐어", "이별한 지 한 달", "same"),
        P("고백할까, 말까", "점심 뭐 먹지", "different"),
    ],
    ("question-pair", "test"): [P("선물 뭐가 좋을까", "무슨 선물을 사지", "same")],
    ("klue-sts", "train"): [
        S("방이 아주 넓어요.", "방이 정말 크네요.", 4.4),
        S("역에서 가깝습니다.", "침대가 편했어요.", 0.0),
    ],
    ("klue-sts", "validation"): [S("비가 온다.", "눈이 온다.", 1.3)],
    ("korsts", "train"): [
        S("아이가 웃는다.", '"아이가 웃고 있다.', 4.8),
        S("개가 뛴다.", "비행기가 난다.", 0.0),
    ],
    ("korsts", "validation"): [S("기차가 늦었다.", "버스가 늦었다.", 2.5)],
    ("korsts", "test"): [S("물가가 올랐다.", "물가가 크게 올랐다.", 3.66666666666666)],
    ("sample-nli", "train"): [
        P("비가 그쳐서 우산을 접었다.", "비가 왔었다.", "entailment"),
        P("가게는 열 시에 연다.", "가게는 아홉 시에 연다.", "contradiction"),
        P("동생이 책을 샀다.", "그 책은 소설이다.", "neutral"),
    ],
    ("sample-sts", "train"): [
        S("방이 아주 넓어요.", "방이 정말 크네요.", 4.4),
        S("역에서 가깝습니다.", "침대가 편했어요.", 0.0),
        S("비가 온다.", "눈이 온다.", 1.3),
    ],
}
PAIRS = [(n, split) for n, c in CORPORA.items() if c.task in {"pair", "similarity"} for split in c.sample]


@pytest.mark.parametrize(("name", "split"), PAIRS)
def test_its_sample_says(name: str, split: str, tmp_path: Path) -> None:
    assert list(lay(name, tmp_path).examples(tmp_path, split)) == SAMPLES[name, split]


def test_a_zero_of_question_pair_is_the_same_question(tmp_path: Path) -> None:
    """Against the name of its column, and in a file that is given by its path, too."""
    corpus = lay("question-pair", tmp_path)
    assert corpus.labels(tmp_path) == ("same", "different")
    assert isinstance(corpus, FilesCorpus)
    path = corpus.path(tmp_path, "test")
    own = open_corpus(path, PairExample, "pair", like="question-pair")
    assert [example.label_names for example in own.examples(tmp_path, "train")] == [("same",)]


def test_training_pairs_of_kornli_are_two_files(tmp_path: Path) -> None:
    header = "sentence1\tsentence2\tgold_label\n"
    folder = tmp_path / "kornli"
    write(folder / "multinli.train.ko.tsv", header + "가\t나\tneutral\n")
    with pytest.raises(InputError, match=r"snli_1\.0_train\.ko\.tsv"):
        list(CORPORA["kornli"].examples(tmp_path, "train"))
    second = write(folder / "snli_1.0_train.ko.tsv", header + '"다\t라\tentailment\n')
    assert list(CORPORA["kornli"].examples(tmp_path, "train")) == [
        P("가", "나", "neutral"),
        P('"다', "라", "entailment"),
    ]
    before = CORPORA["kornli"].fingerprint(tmp_path, "train")
    second.write_text(header + "다\t라\tneutral\n", encoding="utf-8")
    assert CORPORA["kornli"].fingerprint(tmp_path, "train") != before


@pytest.mark.parametrize("labels", ['{"real-label": 3.0}', "3.0", "null"])
def test_klue_sts_without_its_score(labels: str, tmp_path: Path) -> None:
    path = write(
        tmp_path / "klue" / "klue-sts_train.json", f'[{{"sentence1": "가", "sentence2": "나", "labels": {labels}}}]'
    )
    with pytest.raises(InputError, match=f"{path}, record 1: labels are "):
        list(CORPORA["klue-sts"].examples(tmp_path, "train"))


def tally(name: str, root: Path, split: str) -> Counter[str]:
    """How often each label occurs in a split."""
    return Counter(label for example in CORPORA[name].examples(root, split) for label in example.label_names)


def scores(name: str, root: Path, split: str) -> list[float]:
    """The scores of a split."""
    found = [getattr(example, "score", None) for example in CORPORA[name].examples(root, split)]
    assert None not in found
    return found  # type: ignore[return-value]


def test_klue_nli(data: Path, no_network: list[str]) -> None:
    assert CORPORA["klue-nli"].splits(data) == ("train", "validation")
    for split, rows in {"train": 1920, "validation": 480}.items():
        assert tally("klue-nli", data, split) == dict.fromkeys(CORPORA["klue-nli"].labels(data) or (), rows // 3)
    assert no_network == []


def test_kornli(data: Path, no_network: list[str]) -> None:
    """No quoting: with it, 1,571 of 2,490 rows are read."""
    assert CORPORA["kornli"].splits(data) == ("validation", "test")  # the training files are not there
    for split, rows in {"validation": 2490, "test": 5010}.items():
        assert tally("kornli", data, split) == dict.fromkeys(CORPORA["kornli"].labels(data) or (), rows // 3)
    assert no_network == []


def test_question_pair(korpora_root: Path, no_network: list[str]) -> None:
    assert tally("question-pair", korpora_root, "train") == {"same": 4750, "different": 6888 - 4750}
    assert tally("question-pair", korpora_root, "test").total() == 688
    train = list(CORPORA["question-pair"].examples(korpora_root, "train"))
    twins = Counter(e.label for e in train if isinstance(e, PairExample) and e.text == e.text_pair)
    assert twins == {"same": 937, "different": 2}
    assert no_network == []


def test_klue_sts(data: Path, no_network: list[str]) -> None:
    for split, rows in {"train": 332, "validation": 83}.items():
        found = scores("klue-sts", data, split)
        assert len(found) == rows
        assert all(0 <= score <= 5 and score == round(score, 1) for score in found)
        assert len(set(found)) > 20
    assert no_network == []


def test_korsts(korpora_root: Path, no_network: list[str]) -> None:
    """No quoting: with it, 5,703 of 5,749 rows are read."""
    for split, rows in {"train": 5749, "validation": 1500, "test": 1379}.items():
        found = scores("korsts", korpora_root, split)
        assert len(found) == rows
        assert (min(found), max(found)) == (0, 5)
    assert no_network == []


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("sample-nli", {"train": 168, "validation": 27, "test": 45}),
        ("sample-sts", {"train": 150, "validation": 30, "test": 40}),
    ],
)
def test_bundled(name: str, counts: dict[str, int], tmp_path: Path) -> None:
    """They are found wherever the root is; no pair stands in two splits, and premises do not either."""
    corpus = CORPORA[name]
    splits: dict[str, list[Any]] = {split: list(corpus.examples(tmp_path, split)) for split in corpus.splits(tmp_path)}
    assert {split: len(examples) for split, examples in splits.items()} == counts
    for one, other in pairwise([*splits, next(iter(splits))]):
        assert not {e.text for e in splits[one]} & {e.text for e in splits[other]}
    if name == "sample-nli":
        for split, examples in splits.items():
            labels = Counter(e.label for e in examples)
            assert labels == dict.fromkeys(("entailment", "contradiction", "neutral"), counts[split] // 3)


# Training


def same(one: list[Any], other: list[Any]) -> bool:
    """Whether predictions are alike but for the last digits."""
    if isinstance(one[0], ScorePrediction):
        return [p.score for p in one] == near([p.score for p in other], abs=1e-5)
    return [p.scores for p in one] == [near(p.scores, abs=1e-5) for p in other]


LIVELY = TINY | {"initializer_range": 0.5}
"""Random weights that say something else for each pair."""
TUPLES = [("비가 온다", "비가 내린다"), ("가게는 열 시에 연다", "문이 닫혀 있다"), ("가", "")]


@pytest.mark.parametrize(
    ("task", "corpus", "best", "metrics"),
    [
        ("pair", "sample-nli", "macro_f1", {"accuracy", "macro_f1", "micro_f1", "weighted_f1"}),
        ("similarity", "sample-sts", "pearson", {"pearson", "spearman", "f1_at_threshold"}),
    ],
)
def test_from_pairs_to_predictions(task: str, corpus: str, best: str, metrics: set[str], tmp_path: Path) -> None:
    result = fine_tune(**job(tmp_path, task=task, corpus=corpus, max_steps=2, config_overrides=LIVELY))
    assert result.summary["steps"] == 2
    assert metrics <= set(result.metrics)
    assert metrics <= set(result.test_metrics or {})
    assert result.predictor.task.best_metric == best
    predictor = result.predictor
    several = predictor(TUPLES)
    assert same([predictor(pair) for pair in TUPLES], several)
    assert same([predictor({"text": first, "text_pair": second}) for first, second in TUPLES], several)
    assert not same([predictor(("비가 내린다", "비가 온다"))], several[:1])  # the order of the texts matters
    if task == "similarity":
        assert all(0 <= prediction.score <= 5 for prediction in several)
        assert predictor.model.config.num_labels == 1
    else:
        assert predictor.labels == ["entailment", "contradiction", "neutral"]
        assert all(sum(prediction.scores.values()) == near(1) for prediction in several)
    for folder in (result.best, predictor.save_pretrained(tmp_path / "saved")):
        assert same(Predictor.from_pretrained(folder, device="cpu")(TUPLES), several)
    (row,) = predictor.rows([TUPLES[0]])
    assert (row["text"], row["text_pair"]) == TUPLES[0]


def test_scores_of_ones_own_range(tmp_path: Path) -> None:
    rows = [("가 나", "나 다", "-1"), ("다", "다", "1"), ("고", "가", "-0.5"), ("고", "고", "0.9")] * 4
    for split in ("train", "dev"):
        tsv(tmp_path / "own" / f"{split}.tsv", rows, "sentence1\tsentence2\tscore")
    changes = {"task": "similarity", "corpus": tmp_path / "own", "max_steps": 2}
    with pytest.raises(InputError, match=r"train\.tsv, line 2: the score is -1"):
        fine_tune(**job(tmp_path, **changes))
    result = fine_tune(**job(tmp_path, **changes, lowest=-1, highest=1, threshold=0.5, overwrite=True))
    assert -1 <= result.predictor(("가", "나")).score <= 1


class TestOneTokenType:
    """Of klue/roberta: the tokenizer says 1 for a second text, and the model has one token type."""

    @pytest.fixture(params=["klue-roberta-base", "named-otherwise"])
    def folder(self, request: pytest.FixtureRequest, tmp_path: Path, tiny_tokenizer: Any) -> Path:
        """A checkpoint without weights."""
        from transformers import RobertaConfig

        folder = tmp_path / request.param
        sizes: dict[str, Any] = TINY | {"vocab_size": len(tiny_tokenizer), "max_position_embeddings": 66}
        RobertaConfig(**sizes, type_vocab_size=1, pad_token_id=0).save_pretrained(folder)
        tiny_tokenizer.save_pretrained(folder)
        return folder

    def check(self, folder: Path, tmp_path: Path, **overrides: Any) -> None:
        result = fine_tune(
            **job(
                tmp_path,
                task="pair",
                corpus="sample-nli",
                checkpoint=folder,
                max_steps=2,
                config_overrides=LIVELY | overrides,
            )
        )
        predictor = result.predictor
        assert predictor.model.config.model_type == "roberta"
        assert predictor.model.config.type_vocab_size == 1
        (features,) = predictor.task.encode_inputs([PairExample("가", "나")], predictor.tokenizer, 16)
        assert features.keys() == {"input_ids", "example", "lost"}
        assert same(Predictor.from_pretrained(result.best, device="cpu")(TUPLES), predictor(TUPLES))

    def test_it_trains_on_pairs(self, folder: Path, tmp_path: Path) -> None:
        self.check(folder, tmp_path)

    def test_the_real_configuration(self, tokenizers_root: Path, tmp_path: Path, tiny_tokenizer: Any) -> None:
        folder = tmp_path / "own"
        tiny_tokenizer.save_pretrained(folder)
        shutil.copy(tokenizers_root / "config_only" / "klue-roberta-base" / "config.json", folder)
        self.check(folder, tmp_path, max_position_embeddings=66)


def test_rows_with_an_empty_text_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ratsnlp_like.data.encoding.log.propagate", True)
    rows = [("비가 온다", "", "같음"), ("눈이 온다", "눈 온다", "같음"), ("해가 뜬다", "달이 뜬다", "다름")]
    path = tsv(tmp_path / "pairs.tsv", rows, header="text\ttext_pair\tlabel")
    fine_tune(**job(tmp_path, task="pair", corpus=path, eval_corpus=str(path), max_steps=1))
    assert f"train: 1 of 3 rows have an empty text, the first at {path}, line 2" in caplog.text


def test_a_score_within_labels_is_read() -> None:
    """As KLUE-STS has it, in its own file and on the hub."""
    row = {"text": "가", "text_pair": "나", "score": {"label": 3.7, "real-label": 3.71, "binary-label": 1}}
    assert ScoredPairExample.from_row(row).score == 3.7
    with pytest.raises(InputError, match=r"the score is .'binary-label': 1"):
        ScoredPairExample.from_row({**row, "score": {"binary-label": 1}})


@pytest.mark.parametrize("given", [("가", None), {"text": "가"}, {"text": "가", "text_pair": None}])
def test_half_a_pair_is_refused(given: Any) -> None:
    with pytest.raises(InputError, match="no text_pair in"):
        PairExample.of(given)
