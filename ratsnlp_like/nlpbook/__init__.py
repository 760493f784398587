"""The book "Do it! BERT와 GPT로 배우는 자연어 처리": the names of its package `ratsnlp.nlpbook`, on this one.

A notebook of the book runs with `ratsnlp_like` in place of `ratsnlp` in its install and import lines. Nothing is
implemented here that the package has; nothing else of the package knows this one.
"""

from . import metrics
from .arguments import load_arguments
from .collator import data_collator
from .files import download_downstream_dataset, download_pretrained_model, get_valid_path, google_download, web_download
from .settings import set_logger, set_seed
from .trainer import get_trainer

__all__ = [
    "data_collator",
    "download_downstream_dataset",
    "download_pretrained_model",
    "get_trainer",
    "get_valid_path",
    "google_download",
    "load_arguments",
    "metrics",
    "set_logger",
    "set_seed",
    "web_download",
]
