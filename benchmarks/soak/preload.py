"""Libraries that a training needs, imported once for all forked processes."""

# ruff: noqa: F401
import transformers.models.auto.modeling_auto
import transformers.models.bert.modeling_bert

import ratsnlp_like.cli.train
import ratsnlp_like.evaluation.report
import ratsnlp_like.training.finetune
import ratsnlp_like.training.trainer
