"""Korean HateSpeech: comments on entertainment news, each with three labels.

https://github.com/kocohub/korean-hate-speech, CC BY-SA 4.0. One row:
    comments<TAB>contain_gender_bias<TAB>bias<TAB>hate
    오늘 무대 정말 멋졌어요<TAB>False<TAB>none<TAB>none
The class is `hate` (none, offensive, hate); --label_column bias (none, gender, others) or
contain_gender_bias (True, False) takes another. The published test file has no labels.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..registry import CORPORA
from .files import TextCorpus
from .formats import Options


@dataclass(frozen=True)
class KoreanHateSpeech(TextCorpus):
    """7,896 comments to train on and 471 to validate on."""

    description: ClassVar[str] = (
        "news comments, none / offensive / hate, 7,896 + 471, CC BY-SA 4.0 (through Korpora); "
        "--label_column bias | contain_gender_bias"
    )
    korpora: ClassVar[str | None] = "korean_hate_speech"
    paths: ClassVar = {
        "train": ("korean_hate_speech/labeled/train.tsv", "labeled/train.tsv"),
        "validation": ("korean_hate_speech/labeled/dev.tsv", "labeled/dev.tsv"),
    }
    reading: ClassVar[Options] = Options(format="tsv", quoting="none")
    column_names: ClassVar = {"text": "comments", "label": "hate"}
    sample: ClassVar = {
        "train": "comments\tcontain_gender_bias\tbias\thate\n오늘 무대 정말 멋졌어요\tFalse\tnone\tnone\n"
        "저 사람 또 나왔네 지겹다\tFalse\tothers\toffensive\n",
        "validation": "comments\tcontain_gender_bias\tbias\thate\n다음 작품도 기다릴게요\tFalse\tnone\tnone\n",
    }


CORPORA.register("korean-hate-speech", KoreanHateSpeech())
