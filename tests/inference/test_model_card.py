"""Model cards."""

from __future__ import annotations

from ratsnlp_like.training.finetune import FineTuneResult


def test_model_card(classifier: FineTuneResult) -> None:
    card = (classifier.best / "README.md").read_text()
    assert card.startswith("---\nlanguage: ko\n")
    assert "# classification: ko-blank-bert fine-tuned on sample-sentiment" in card
    assert "Labels: 긍정, 부정. Longest input: 32 tokens." in card
    assert f"| macro_f1 | {classifier.metrics['macro_f1']:.4f} |" in card
    low, high = classifier.metrics["intervals"]["macro_f1"]
    assert f"| macro_f1 | {classifier.metrics['macro_f1']:.4f} | {low:.4f} to {high:.4f} |" in card
    assert f"percentile bootstrap over {classifier.metrics['interval_settings']['units']} texts" in card
