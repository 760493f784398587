"""The small corpora that ship with the package: fixtures, demos and documentation in one.

Every sentence was written for this project (MIT, see samples/README.md).
"""

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import ClassVar

from ..examples.base import Example
from ..examples.generation import GenerationExample
from ..examples.text import RawExample
from ..registry import CORPORA
from .base import NLI_LABELS
from .files import EntityCorpus, FilesCorpus, PairCorpus, QuestionCorpus, ScoredPairCorpus, TextCorpus
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


@dataclass(frozen=True)
class SampleNli(PairCorpus):
    """80 premises with three hypotheses each: entailment, contradiction, neutral."""

    description: ClassVar[str] = "bundled: 240 pairs, entailment / contradiction / neutral, MIT"
    folder: ClassVar[Path | None] = _FOLDER
    paths: ClassVar = {split: (f"nli.{split}.tsv",) for split in ("train", "validation", "test")}
    reading: ClassVar[Options] = Options(format="tsv", quoting="none")
    sample: ClassVar = {
        "train": "premise\thypothesis\tlabel\n비가 그쳐서 우산을 접었다.\t비가 왔었다.\tentailment\n"
        "가게는 열 시에 연다.\t가게는 아홉 시에 연다.\tcontradiction\n동생이 책을 샀다.\t그 책은 소설이다.\tneutral\n"
    }

    def labels(self, root: Path) -> tuple[str, ...]:
        """Return them in the order of KLUE."""
        return NLI_LABELS


@dataclass(frozen=True)
class SampleSts(ScoredPairCorpus):
    """Two sentences and their similarity, from 0 (unrelated) to 5 (equivalent)."""

    description: ClassVar[str] = "bundled: 220 pairs with a score from 0 to 5, MIT"
    folder: ClassVar[Path | None] = _FOLDER
    paths: ClassVar = {split: (f"sts.{split}.tsv",) for split in ("train", "validation", "test")}
    reading: ClassVar[Options] = Options(format="tsv", quoting="none")
    sample: ClassVar = {
        "train": "sentence1\tsentence2\tscore\n방이 아주 넓어요.\t방이 정말 크네요.\t4.4\n"
        "역에서 가깝습니다.\t침대가 편했어요.\t0.0\n비가 온다.\t눈이 온다.\t1.3\n"
    }


@dataclass(frozen=True)
class SampleQa(QuestionCorpus):
    """Paragraphs of invented towns, museums, notices and diaries, and questions on them."""

    description: ClassVar[str] = "bundled: 40 paragraphs, 140 questions, 20 of them without an answer, MIT"
    folder: ClassVar[Path | None] = _FOLDER
    paths: ClassVar = {split: (f"qa.{split}.json",) for split in ("train", "validation", "test")}
    sample: ClassVar = {
        "train": """{"version": "1.0", "data": [{"title": "시장", "paragraphs": [
            {"context": "시장은 닷새마다 선다.", "qas": [
                {"id": "1", "question": "며칠마다 서나?", "answers": [{"text": "닷새", "answer_start": 4}]},
                {"id": "2", "question": "몇 시에 열리나?", "answers": [], "is_impossible": true},
                {"id": "3", "question": "무엇이 서나?", "answers": [{"text": "시장", "answer_start": 0}]}]}]}]}"""
    }


@dataclass(frozen=True)
class SamplePrompts(FilesCorpus):
    """Dialogue turns, beginnings of texts, small instructions, sentences from keywords."""

    example: ClassVar[type[Example]] = GenerationExample
    task: ClassVar[str] = "generation"
    description: ClassVar[str] = "bundled: 220 prompts with their completions, MIT"
    folder: ClassVar[Path | None] = _FOLDER
    paths: ClassVar = {split: (f"prompts.{split}.jsonl",) for split in ("train", "validation", "test")}
    reading: ClassVar[Options] = Options(format="jsonl")
    sample: ClassVar = {
        "train": '{"prompt": "배가 고파", "completion": "같이 뭐 좀 먹어요."}\n'
        '{"prompt": "비가 그치자", "completion": " 아이들이 마당으로 뛰어나왔다."}\n'
        '{"prompt": "잠이 안 와", "completion": "따뜻한 우유를 마셔 봐요."}\n'
    }


CORPORA.register("sample-sentiment", SampleSentiment())
CORPORA.register("sample-ner", SampleNer())
CORPORA.register("sample-raw", SampleRaw())
CORPORA.register("sample-prompts", SamplePrompts())
CORPORA.register("sample-qa", SampleQa())
CORPORA.register("sample-nli", SampleNli())
CORPORA.register("sample-sts", SampleSts())
