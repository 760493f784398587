"""Scores of classifiers: one class per text, or any number of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

from .shares import check_lengths, share


def classification_scores(gold: Sequence[str], predicted: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    """Score one class per text.

    The F1 scores are scikit-learn's over all of `labels`, so a label that occurs on neither side pulls
    `macro_f1` down with an F1 of 0. `micro_f1` equals `accuracy` unless names outside `labels` occur.

    Args:
        gold: gold classes.
        predicted: the predicted classes, in the order of `gold`.
        labels: all classes; the order of the tables.

    Returns:
        `accuracy`, `macro_f1`, `micro_f1`, `weighted_f1` (weighted by support),
        `per_class` ({label: {precision, recall, f1, support}}; support in texts) and
        `confusion_matrix` ({labels, matrix}; counts of texts, rows gold, columns predicted).

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    check_lengths(gold=gold, predicted=predicted)
    pairs = Counter(zip(gold, predicted, strict=True))
    hits = sum(count for (right, predicted_name), count in pairs.items() if right == predicted_name)
    singles = [(name,) for name in gold], [(name,) for name in predicted]
    return {
        "accuracy": share(hits, len(gold)),
        **_f1_scores(*singles, labels, ("macro", "micro", "weighted")),
        "confusion_matrix": {
            "labels": list(labels),
            "matrix": [[pairs[right, predicted_name] for predicted_name in labels] for right in labels],
        },
    }


def multi_label_scores(
    gold: Sequence[Collection[str]], predicted: Sequence[Collection[str]], labels: Sequence[str]
) -> dict[str, Any]:
    """Score any number of classes per text.

    Args:
        gold: gold classes of each text.
        predicted: the predicted classes of each text, in the order of `gold`.
        labels: all classes; the order of the table.

    Returns:
        `subset_accuracy` (the share of texts whose classes are all correct),
        `micro_f1`, `macro_f1`, `weighted_f1`, `samples_f1` (the mean of each text's own F1; 0 for a text
        with neither gold nor predicted classes) as scikit-learn has them over all of `labels`,
        `hamming_loss` (the share of wrong cells in the table of texts by labels; lower is better) and
        `per_class` ({label: {precision, recall, f1, support}}; support in texts).

    Raises:
        ValueError: `gold` and `predicted` differ in length.
    """
    check_lengths(gold=gold, predicted=predicted)
    differences = [set(right) ^ set(predicted_name) for right, predicted_name in zip(gold, predicted, strict=True)]
    wrong_cells = sum(len(difference.intersection(labels)) for difference in differences)
    return {
        "subset_accuracy": share(sum(not difference for difference in differences), len(gold)),
        **_f1_scores(gold, predicted, labels, ("micro", "macro", "weighted", "samples")),
        "hamming_loss": share(wrong_cells, len(gold) * len(labels)),
    }


def indicator(rows: Sequence[Collection[str]], labels: Sequence[str]) -> Any:
    """Return a sparse indicator matrix of the labels of each row; names outside `labels` are left out.

    An additional column stays empty, since scikit-learn reads a single column as a binary target. With indicators it
    does not infer the type of the target either, which warns about many classes.

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
    """Return scikit-learn's F1 over `labels`: `<average>_f1` for each average, and the table `per_class`."""
    from sklearn.metrics import precision_recall_fscore_support

    if not labels:
        return {**{f"{average}_f1": 0.0 for average in averages}, "per_class": {}}
    # scikit-learn refuses empty input; a row without labels adds nothing to any count
    table = indicator(gold or [()], labels), indicator(predicted or [()], labels)
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
