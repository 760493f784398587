"""Metrics: pure functions on strings and spans that return plain dicts, ready for JSON.

All scores are shares, 0..1 (published tables print them times 100). Wherever a share has nothing to
divide by, it is 0.0, scikit-learn's `zero_division=0`; so are empty input, and texts with neither gold
nor predicted entities. `klue_char_f1` alone has 1.0 there, as in the official scorer. Nothing is ever
NaN and nothing warns. Names outside `labels` are not classes of their own, yet they do count as errors:
an unknown gold class is a miss.

scikit-learn and seqeval are imported where they are used: importing this module costs nothing.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Collection, Sequence, Sized
from difflib import SequenceMatcher
from itertools import chain
from typing import Any

from .examples import Entity


def classification(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Score one class per text.

    The F1 scores are scikit-learn's over all of `labels`, so a label that occurs on neither side pulls
    `macro_f1` down with an F1 of 0. `micro_f1` equals `accuracy` unless names outside `labels` occur.

    Args:
        gold: the right classes.
        predicted: the predicted classes, in the order of `gold`.
        labels: all classes; the order of the tables.

    Returns:
        `accuracy`, `macro_f1`, `micro_f1`, `weighted_f1` (weighted by support),
        `per_class` ({label: {precision, recall, f1, support}}; support in texts) and
        `confusion_matrix` ({labels, matrix}; counts of texts, rows gold, columns predicted).

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    _check_lengths(gold=gold, predicted=predicted)
    pairs = Counter(zip(gold, predicted, strict=True))
    hits = sum(count for (right, said), count in pairs.items() if right == said)
    singles = [(name,) for name in gold], [(name,) for name in predicted]
    return {
        "accuracy": _share(hits, len(gold)),
        **_f1_scores(*singles, labels, ("macro", "micro", "weighted")),
        "confusion_matrix": {
            "labels": list(labels),
            "matrix": [[pairs[right, said] for said in labels] for right in labels],
        },
    }


def multi_label(
    gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]], labels: Sequence[str]
) -> dict[str, Any]:
    """Score any number of classes per text.

    Args:
        gold: the right classes of each text.
        predicted: the predicted classes of each text, in the order of `gold`.
        labels: all classes; the order of the table.

    Returns:
        `subset_accuracy` (the share of texts whose classes are all right),
        `micro_f1`, `macro_f1`, `weighted_f1`, `samples_f1` (the mean of each text's own F1; 0 for a text
        with neither gold nor predicted classes) as scikit-learn has them over all of `labels`,
        `hamming_loss` (the share of wrong cells in the table of texts by labels; lower is better) and
        `per_class` ({label: {precision, recall, f1, support}}; support in texts).

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    _check_lengths(gold=gold, predicted=predicted)
    differences = [set(right) ^ set(said) for right, said in zip(gold, predicted, strict=True)]
    wrong_cells = sum(len(difference.intersection(labels)) for difference in differences)
    return {
        "subset_accuracy": _share(sum(not difference for difference in differences), len(gold)),
        **_f1_scores(gold, predicted, labels, ("micro", "macro", "weighted", "samples")),
        "hamming_loss": _share(wrong_cells, len(gold) * len(labels)),
    }


def similarity(gold: Sequence[float], predicted: Sequence[float], threshold: float) -> dict[str, Any]:
    """Score one number per pair of texts.

    Pearson's r and the F1 of "at least `threshold`" are KLUE-STS's official metrics (arXiv:2105.09680), Spearman's rho
    is KorSTS's (arXiv:2004.03289). A correlation is 0 where one side does not vary.

    Args:
        gold: the right scores.
        predicted: the predicted ones, in the order of `gold`.
        threshold: from which score a pair counts as a paraphrase.

    Returns:
        `pearson`, `spearman` (-1 to 1) and `f1_at_threshold` (0 to 1).

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    import numpy as np
    from scipy.stats import rankdata

    _check_lengths(gold=gold, predicted=predicted)
    right, said = np.asarray(gold, dtype=float) >= threshold, np.asarray(predicted, dtype=float) >= threshold
    return {
        "pearson": _correlation(gold, predicted),
        "spearman": _correlation(rankdata(gold), rankdata(predicted)),
        "f1_at_threshold": _share(2 * int((right & said).sum()), int(right.sum()) + int(said.sum())),
    }


def _correlation(first: Any, second: Any) -> float:
    import numpy as np

    x, y = (np.asarray(side, dtype=float) for side in (first, second))
    if len(x) == 0 or not np.isfinite([x, y]).all() or np.ptp(x) == 0 or np.ptp(y) == 0:
        return 0.0
    x, y = ((side - side.mean()) / np.ptp(side) for side in (x, y))  # so that tiny and huge scores do not overflow
    return float(np.clip(np.corrcoef(x, y)[0, 1], -1.0, 1.0))


def generated(references: Sequence[Sequence[str]], written: Sequence[str]) -> dict[str, Any]:
    """Score texts that were written after prompts.

    chrF (Popović 2015, https://aclanthology.org/W15-3049) compares runs of 1 to 6 characters with the references, as
    sacreBLEU computes it over the corpus. distinct-1 and -2 (Li et al. 2016, arXiv:1510.03055) are the shares of
    different words and pairs of words, between white space, among all that were written: low where a model repeats
    itself.

    Args:
        references: what could have been written, at least one text for each prompt.
        written: what was written.

    Returns:
        `chrf`, `distinct_1`, `distinct_2` (0 to 1).

    Raises:
        ValueError: `references` and `written` differ in length.
    """
    from sacrebleu.metrics.chrf import CHRF

    _check_lengths(references=references, written=written)
    most = max(map(len, references), default=0)
    streams: Any = [[own[k] if k < len(own) else None for own in references] for k in range(most)]
    chrf = CHRF().corpus_score(written, streams).score / 100 if most else 0.0
    return {"chrf": chrf, **{f"distinct_{n}": _distinct(written, n) for n in (1, 2)}}


def _distinct(texts: Sequence[str], n: int) -> float:
    words = (text.split() for text in texts)
    grams = [tuple(own[i : i + n]) for own in words for i in range(len(own) - n + 1)]
    return _share(len(set(grams)), len(grams))


_KORQUAD_SPACES = str.maketrans(dict.fromkeys("'\"《》<>〈〉()‘’", " "))
_PUNCTUATION = str.maketrans(dict.fromkeys(string.punctuation))


def answers(gold: Sequence[Sequence[str]], predicted: Sequence[str]) -> dict[str, Any]:
    """Score the answers to questions, each against the best of its right answers.

    A question without an answer has no right answers, and the right prediction is the empty text.

    Args:
        gold: the right answers of each question.
        predicted: one text per question, in the order of `gold`.

    Returns:
        `korquad_em` and `korquad_f1` of KorQuAD 1.0's official script (F1 over characters; 0 where both are empty);
        `klue_mrc_em` and `klue_mrc_rouge_w` of KLUE-MRC's (the F1 of the longest common run of characters);
        `char_f1`, KorQuAD's F1 with 1 where both are empty, for data with unanswerable questions.

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    _check_lengths(gold=gold, predicted=predicted)
    rows = [_answer_scores(right or [""], said) for right, said in zip(gold, predicted, strict=True)]
    names = ("korquad_em", "korquad_f1", "klue_mrc_em", "klue_mrc_rouge_w", "char_f1")
    return {name: sum(row[k] for row in rows) / max(1, len(rows)) for k, name in enumerate(names)}


def _answer_scores(right: Sequence[str], said: str) -> list[float]:
    columns = [
        (
            float(korquad_normalized(one) == korquad_normalized(said)),
            _korquad_f1(one, said),
            float(klue_mrc_normalized(one) == klue_mrc_normalized(said)),
            _rouge_w(klue_mrc_normalized(one), klue_mrc_normalized(said)),
            1.0 if not korquad_normalized(one) + korquad_normalized(said) else _korquad_f1(one, said),
        )
        for one in right
    ]
    return [max(column) for column in zip(*columns, strict=True)]


def korquad_normalized(text: str) -> str:
    """As KorQuAD 1.0's script compares: brackets and quotes are spaces, ASCII punctuation goes, spaces run together."""
    return " ".join(text.translate(_KORQUAD_SPACES).lower().translate(_PUNCTUATION).split())


def klue_mrc_normalized(text: str) -> str:
    """As KLUE-MRC's script compares. Its rule for brackets and quotes can never match, so that 《》‘’ stay."""
    return " ".join(text.lower().translate(_PUNCTUATION).split())


def _korquad_f1(right: str, said: str) -> float:
    first, second = (Counter(korquad_normalized(text).replace(" ", "")) for text in (right, said))
    shared = (first & second).total()
    return _share(2 * shared, first.total() + second.total())


def _rouge_w(right: str, said: str) -> float:
    if not right:
        return float(not said)
    longest = SequenceMatcher(None, said, right).find_longest_match(0, len(said), 0, len(right)).size
    return _share(2 * longest, len(said) + len(right))


def entities(
    gold: Sequence[Sequence[Entity]],
    predicted: Sequence[Sequence[Entity]],
    texts: Sequence[str],
    labels: Sequence[str],
) -> dict[str, Any]:
    """Score named entities: by exact spans, and by the three scores that others publish.

    Nothing is counted in tokens: such scores depend on the tokenizer, and token accuracy is high where
    most tokens are outside entities.

    Args:
        gold: the right entities of each text, in characters; those of one text do not overlap.
        predicted: the predicted ones, likewise.
        texts: the texts that the entities are in.
        labels: the entity types (`PS`, not `B-PS`); the order of the table.

    Returns:
        `entity_precision`, `entity_recall`, `entity_f1`: a predicted entity is right if start, end and
        type are those of a gold one; counted over all entities (micro);
        `entity_macro_f1`: the mean F1 over those of `labels` that occur in gold or prediction;
        `klue_entity_f1`, `klue_char_f1`: the two scores of KLUE-NER, on the characters that are not a
        space, as its official scorer has them (`_klue_tags`, `_klue_entity_f1`, `_klue_char_f1`);
        `conll_f1`: seqeval's default micro F1 (that of conlleval.pl) on words, see `word_bio`;
        `per_type`: {type: {precision, recall, f1, support}}, support in entities; `labels` first, then
        the other types that occur.

    Raises:
        ValueError: `gold`, `predicted` and `texts` differ in length, or entities lie outside their
            text, are empty or overlap.
    """
    _check_lengths(gold=gold, predicted=predicted, texts=texts)
    characters = list(map(_klue_tags, texts, gold)), list(map(_klue_tags, texts, predicted))
    words = list(map(word_bio, texts, gold)), list(map(word_bio, texts, predicted))
    scores, per_type = _strict_scores(gold, predicted, labels)
    return {
        **scores,
        "klue_entity_f1": _klue_entity_f1(*characters),
        "klue_char_f1": _klue_char_f1(*characters, labels),
        "conll_f1": _seqeval_f1(*words, average="micro"),
        "per_type": per_type,
    }


def character_bio(text_length: int, entities: Sequence[Entity]) -> list[str]:
    """One IOB2 tag per character, white space included: `B-PS`, `I-PS`, ..., `O`.

    Args:
        text_length: the length of the text, in characters.
        entities: its entities, in any order.

    Raises:
        ValueError: an entity lies outside the text, is empty or overlaps another.
    """
    tags = ["O"] * text_length
    for start, end, label in _in_order(text_length, entities):
        tags[start:end] = [f"B-{label}", *[f"I-{label}"] * (end - start - 1)]
    return tags


def word_bio(text: str, entities: Sequence[Entity]) -> list[str]:
    """One IOB2 tag per word (eojeol), where words are what white space separates.

    A word belongs to the entity of its first entity character, so a particle glued to an entity is
    inside (이순신은 is B-PS), and a further entity that has no other word is lost. The first word that
    belongs to an entity gets B-, its further words get I-. The Naver NER corpus is tagged by such words.

    Args:
        text: the text.
        entities: its entities, in characters, in any order.

    Raises:
        ValueError: an entity lies outside the text, is empty or overlaps another.
    """
    ordered = _in_order(len(text), entities)
    tags: list[str] = []
    before: Entity | None = None
    for word in re.finditer(r"\S+", text):
        entity = next((e for e in ordered if e.start < word.end() and word.start() < e.end), None)
        tags.append(f"{'I' if entity == before else 'B'}-{entity.label}" if entity else "O")
        before = entity
    return tags


def _check_lengths(**sequences: Sized) -> None:
    lengths = {name: len(sequence) for name, sequence in sequences.items()}
    if len(set(lengths.values())) > 1:
        said = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"the lengths differ: {said}; expected one item of each per text")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _prf(hits: int, predicted: int, gold: int) -> dict[str, float]:
    """Precision, recall and F1 = 2 * hits / (predicted + gold), the harmonic mean of the two."""
    return {
        "precision": _share(hits, predicted),
        "recall": _share(hits, gold),
        "f1": _share(2 * hits, predicted + gold),
    }


def _indicator(rows: Sequence[Collection[str]], labels: Sequence[str]) -> Any:
    """Which row carries which label, sparse; names outside `labels` are left out.

    One column more than labels stays empty: scikit-learn takes a single column for a binary target.
    Indicators also spare us its guess at the kind of target, which warns about many classes.

    *Shape:* (rows, labels + 1)
    """
    from sklearn.preprocessing import MultiLabelBinarizer

    column = {label: i for i, label in enumerate(labels)}
    binarizer = MultiLabelBinarizer(classes=range(len(labels) + 1), sparse_output=True)
    return binarizer.fit_transform([{column[name] for name in row if name in column} for row in rows])


def _f1_scores(
    gold: Sequence[Collection[str]],
    predicted: Sequence[Collection[str]],
    labels: Sequence[str],
    averages: Sequence[str],
) -> dict[str, Any]:
    """scikit-learn's F1 over `labels`: `<average>_f1` for each average, and the table `per_class`."""
    from sklearn.metrics import precision_recall_fscore_support

    if not labels:
        return {**{f"{average}_f1": 0.0 for average in averages}, "per_class": {}}
    # scikit-learn refuses empty input; a row without labels adds nothing to any count
    table = _indicator(gold or [()], labels), _indicator(predicted or [()], labels)
    options: dict[str, Any] = {"labels": list(range(len(labels))), "zero_division": 0}
    rows = zip(*(column.tolist() for column in precision_recall_fscore_support(*table, **options)), strict=True)
    return {
        **{
            f"{average}_f1": float(precision_recall_fscore_support(*table, average=average, **options)[2])
            for average in averages
        },
        "per_class": {
            label: dict(zip(("precision", "recall", "f1", "support"), row, strict=True))
            for label, row in zip(labels, rows, strict=True)
        },
    }


def _strict_scores(
    gold: Sequence[Sequence[Entity]], predicted: Sequence[Sequence[Entity]], labels: Sequence[str]
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """The four `entity_` scores and the table `per_type`, by exact match of (start, end, label)."""
    hits: Counter[str] = Counter()
    said: Counter[str] = Counter()
    support: Counter[str] = Counter()
    for right, found in zip(gold, predicted, strict=True):
        hits.update(entity.label for entity in set(right) & set(found))
        said.update(entity.label for entity in found)
        support.update(entity.label for entity in right)
    seen = said.keys() | support.keys()
    per_type = {
        label: {**_prf(hits[label], said[label], support[label]), "support": support[label]}
        for label in [*labels, *sorted(seen.difference(labels))]
    }
    f1s = [per_type[label]["f1"] for label in labels if label in seen]
    micro = _prf(hits.total(), said.total(), support.total())
    macro_f1 = sum(f1s) / len(f1s) if f1s else 0.0
    return {**{f"entity_{name}": value for name, value in micro.items()}, "entity_macro_f1": macro_f1}, per_type


def _in_order(text_length: int, entities: Sequence[Entity]) -> list[Entity]:
    """The entities sorted, after checking that tags can express them."""
    ordered = sorted(entities)
    reached = 0
    for entity in ordered:
        if not 0 <= entity.start < entity.end <= text_length:
            raise ValueError(f"{entity} is empty or lies outside its text of {text_length} characters")
        if entity.start < reached:
            raise ValueError(f"{entity} overlaps another entity: a character has one tag")
        reached = entity.end
    return ordered


def _klue_tags(text: str, entities: Sequence[Entity]) -> list[str]:
    """The tags that KLUE scores: those of all characters but the space (U+0020).

    A KLUE file has a row for each space, but KLUE-baseline drops it on reading (`if token == " ":
    continue`, klue_baseline/data/klue_ner.py) and predicts no tag for it. An entity that begins with a
    space so loses its B- tag; seqeval's strict mode then does not see it (a few gold entities of KLUE are so).
    """
    tags = character_bio(len(text), entities)
    return [tag for tag, character in zip(tags, text, strict=True) if character != " "]


def _klue_entity_f1(gold: list[list[str]], predicted: list[list[str]]) -> float:
    """KLUE's entity F1: seqeval's `f1_score(average="macro", mode="strict", scheme=IOB2)`.

    The mean is over the types that occur in gold or prediction. Source: `klue_ner_entity_macro_f1` of
    KLUE-baseline, klue_baseline/metrics/functional.py. It strings all sentences together with the O of
    [CLS] and [SEP] between them, which changes nothing (but makes seqeval quadratic in their number).
    """
    from seqeval.scheme import IOB2

    return _seqeval_f1(gold, predicted, average="macro", mode="strict", scheme=IOB2)


def _seqeval_f1(gold: list[list[str]], predicted: list[list[str]], **options: Any) -> float:
    """Seqeval's `f1_score`, and 0.0 where neither side has a B- tag: it has nothing to average there."""
    from seqeval.metrics import f1_score

    if not any(tag.startswith("B-") for tags in chain(gold, predicted) for tag in tags):
        return 0.0
    return float(f1_score(gold, predicted, zero_division=0, **options))


def _klue_char_f1(gold: list[list[str]], predicted: list[list[str]], types: Sequence[str]) -> float:
    """KLUE's character F1: scikit-learn's macro F1 over B- and I- of all types and O, `zero_division=1`.

    For KLUE's six types these are 13 labels; one that occurs on neither side has F1 1. Source:
    `klue_ner_char_macro_f1` of KLUE-baseline, klue_baseline/metrics/functional.py (its docstring says
    "except O", its code includes it). KLUE-baseline also scores [CLS] and [SEP] of each sentence, as O;
    spans know no such tokens, so they are left out here. They touch the F1 of O alone.
    """
    from sklearn.metrics import f1_score

    labels = [*(f"{prefix}-{name}" for name in types for prefix in "BI"), "O"]
    # each distinct pair of tags once, weighed by its count: the same sums as over all characters, and fast
    counts = Counter(chain.from_iterable(map(zip, gold, predicted)))
    if not counts:
        return 1.0
    return float(
        f1_score(
            _indicator([(tag,) for tag, _ in counts], labels),
            _indicator([(tag,) for _, tag in counts], labels),
            labels=list(range(len(labels))),
            average="macro",
            sample_weight=list(counts.values()),
            zero_division=1,
        )
    )
