"""Korean chatbot data: remarks, and the replies of a friend.

https://github.com/songys/Chatbot_data, MIT. One row (label 0 daily life, 1 break-up, 2 love):
    Q,A,label
    배가 고파,같이 뭐 좀 먹어요.,0
CSV with quoting; one label is followed by spaces.
"""

from dataclasses import dataclass
from typing import ClassVar

from ..examples.base import Example
from ..examples.generation import GenerationExample
from ..registry import CORPORA
from .files import FilesCorpus
from .formats import Options


@dataclass(frozen=True)
class KoreanChatbotData(FilesCorpus):
    """11,823 pairs."""

    example: ClassVar[type[Example]] = GenerationExample
    task: ClassVar[str] = "generation"
    description: ClassVar[str] = "remarks and replies, 11,823, MIT (through Korpora)"
    korpora: ClassVar[str | None] = "korean_chatbot_data"
    paths: ClassVar = {"train": ("korean_chatbot_data/ChatbotData.csv", "ChatbotData.csv", "ChatbotData .csv")}
    reading: ClassVar[Options] = Options(format="csv")
    column_names: ClassVar = {"prompt": "Q", "completion": "A"}
    sample: ClassVar = {
        "train": 'Q,A,label\r\n배가 고파,같이 뭐 좀 먹어요.,0\r\n"보고 싶다, 많이",오늘은 푹 자요.,2   \r\n'
        "잠이 안 와,따뜻한 우유를 마셔 봐요.,0"
    }


CORPORA.register("korean-chatbot-data", KoreanChatbotData())
