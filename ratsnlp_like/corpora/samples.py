"""The small corpora that ship with the package: fixtures, demos and documentation in one.

Every sentence was written for this project (MIT, see samples/README.md).
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import ClassVar

from ..examples import Example, RawExample
from ..registry import CORPORA
from .base import EntityCorpus, FilesCorpus, TextCorpus
from .formats import Options

_FOLDER = Path(str(resources.files(__package__) / "samples"))


@dataclass(frozen=True)
class SampleSentiment(TextCorpus):
    """Reviews of films, food, shops and more, 긍정 (positive) or 부정 (negative)."""

    description: ClassVar[str] = "bundled: 640 reviews, 긍정 / 부정, MIT"
    folder: ClassVar[Path | None] = _FOLDER
    paths: ClassVar = {split: (f"sentiment.{split}.tsv",) for split in ("train", "validation", "test")}
    reading: ClassVar[Options] = Options(format="tsv", quoting="none")
    sample: ClassVar = {"train": "text\tlabel\n국물이 시원해서 또 가고 싶어요\t긍정\n세 시간을 버렸다\t부정\n"}


@dataclass(frozen=True)
class SampleNer(EntityCorpus):
    """Sentences with PS person, LC place, OG organisation, DT date, QT quantity; particles glued to the names."""

    description: ClassVar[str] = "bundled: 380 sentences, five types, MIT"
    folder: ClassVar[Path | None] = _FOLDER
    paths: ClassVar = {split: (f"ner.{split}.txt",) for split in ("train", "validation", "test")}
    reading: ClassVar[Options] = Options(format="book-ner")
    sample: ClassVar = {"train": "박하늘은 대전에 왔다␞<박하늘:PS>은 <대전:LC>에 왔다\n"}


@dataclass(frozen=True)
class SampleRaw(FilesCorpus):
    """Sentences and short paragraphs of daily life, news, nature and more."""

    example: ClassVar[type[Example]] = RawExample
    task: ClassVar[str] = "masked-lm"
    description: ClassVar[str] = "bundled: 1,000 lines of text, MIT"
    folder: ClassVar[Path | None] = _FOLDER
    paths: ClassVar = {"train": ("raw.txt",)}
    reading: ClassVar[Options] = Options(format="text")
    sample: ClassVar = {"train": "아침에 비가 왔다.\n점심에는 해가 났다.\n"}


CORPORA.register("sample-sentiment", SampleSentiment())
CORPORA.register("sample-ner", SampleNer())
CORPORA.register("sample-raw", SampleRaw())
