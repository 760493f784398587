"""The canonical examples: what every corpus yields and every task takes.

Every file format is converted to one of these; nothing after the corpus depends on the format. A task can define its
own example by subclassing `Example`: its field names are the column names, and `aliases` lists other names of a column.
"""

from .base import Example, Labelled, Place
from .entity import Entity, EntityExample
from .generation import GenerationExample, Message
from .pair import PairExample, ScoredPairExample
from .question import Answer, QuestionExample
from .text import RawExample, TextExample

__all__ = [
    "Answer", "Entity", "EntityExample", "Example", "GenerationExample", "Labelled", "Message", "PairExample", "Place",
    "QuestionExample", "RawExample", "ScoredPairExample", "TextExample",
]  # fmt: skip
