"""The names of `ratsnlp.nlpbook`, the package of the book "Do it! BERT와 GPT로 배우는 자연어 처리".

The book's notebooks run with `ratsnlp_like` in place of `ratsnlp` in their install and import lines. This package
only maps the book's names to the rest of `ratsnlp_like`, which does not import it.
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
