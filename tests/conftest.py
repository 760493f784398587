"""Fixtures of all tests: no network, a separate cache, tokenizers and checkpoints made in memory.

Real corpora and tokenizers are in `shared/data` next to the repository; tests that use them are skipped without it.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ratsnlp_like.training.finetune import FineTuneResult

# before torch, tokenizers or the hub are imported
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the models are tiny, and xdist workers share the cores
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"  # torch takes its number of threads from here

import pytest
from hypothesis import settings

DATA = Path(__file__).parents[2] / "shared" / "data"
SENTENCES = (
    "안녕하세요 한국어 문장입니다",
    "김민준은 서울에서 기차를 탔다",
    "이서연이 부산에 사는 친구를 만났다",
    "영화가 정말 재미있어요 다시 보고 싶어요",
    "배우들 연기가 어색하고 이야기가 지루해요",
    "한빛전자는 3월 2일에 새 공장을 연다",
    "물이 너무 차가워서 10분 만에 나왔다",
)
"""Training texts of the tiny tokenizers."""

# no deadline on a busy machine, and the same examples in every run
settings.register_profile("ratsnlp_like", deadline=None, derandomize=True)
settings.load_profile("ratsnlp_like")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--exhaustive", action="store_true", help="run all cases of the tests marked exhaustive")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the first case of each parametrized test that is marked exhaustive (`first=False`: none), no other."""
    if config.getoption("exhaustive") or any("::" in argument for argument in config.args):
        return
    seen: set[str] = set()
    kept, left_out = [], []
    for item in items:
        name, _, case = item.nodeid.partition("[")
        marker = item.get_closest_marker("exhaustive")
        costly = marker and (not case or name in seen or not marker.kwargs.get("first", True))
        (left_out if costly else kept).append(item)
        seen.add(name)
    config.hook.pytest_deselected(items=left_out)
    items[:] = kept


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Keep tests away from the user's corpora and cache."""
    folder = tmp_path_factory.mktemp("environment")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATSNLP_LIKE_CACHE", str(folder / "cache"))
        patch.setenv("RATSNLP_LIKE_CORPORA", str(folder / "corpora"))
        yield


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """Reset the package's logger: a test that calls `main` leaves a handler, which would duplicate records."""
    log = logging.getLogger("ratsnlp_like")

    def reset() -> None:  # pytest adds handlers to a logger that does not propagate
        log.handlers.clear()
        log.propagate = True
        log.setLevel(logging.NOTSET)

    reset()
    yield
    reset()


class NetworkUsedError(OSError):
    """A test opened a connection."""


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Refuse every connection; return the list of attempts."""
    tried: list[str] = []

    def refuse(*address: Any, **_: Any) -> Any:
        tried.append(str(address))
        raise NetworkUsedError(f"no network in tests: {address}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real corpora and tokenizers."""
    if not DATA.is_dir():
        pytest.skip(f"real corpora and tokenizers are not at {DATA}")
    return DATA


@pytest.fixture(scope="session")
def korpora_root(data: Path) -> Path:
    """Return the corpus root in the layout of Korpora."""
    return data / "korpora"


@pytest.fixture(scope="session")
def tokenizers_root(data: Path) -> Path:
    """Return the folder of checkpoints with configuration and tokenizer, without weights."""
    return data / "tokenizers"


@pytest.fixture(scope="session")
def real_tokenizer(tokenizers_root: Path) -> Callable[[str], Any]:
    """Return a function that loads a real tokenizer as the package does, once per session."""
    loaded: dict[str, Any] = {}

    def load(name: str) -> Any:
        from ratsnlp_like.checkpoints.base import load_config
        from ratsnlp_like.checkpoints.tokenizer import load_tokenizer

        if name == "kobert":
            pytest.importorskip("sentencepiece")
        if name not in loaded:
            folder = str(tokenizers_root / name)
            loaded[name] = load_tokenizer(folder, load_config(folder))
        return loaded[name]

    return load


@pytest.fixture(scope="session")
def _wordpiece() -> str:
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=260, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(SENTENCES, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", 2), ("[SEP]", 3)],
    )
    return tokenizer.to_str()


@pytest.fixture(scope="session")
def _byte_level() -> str:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=360, special_tokens=["<|endoftext|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer)
    return tokenizer.to_str()


@pytest.fixture
def tiny_tokenizer(_wordpiece: str) -> Any:
    """Return a tokenizer like BERT's: WordPiece between [CLS] (2) and [SEP] (3); [PAD] 0, [UNK] 1; token types."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_wordpiece),
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    )


@pytest.fixture
def tiny_bpe_tokenizer(_byte_level: str) -> Any:
    """Return a tokenizer like GPT-2's: byte-level BPE (a Hangul syllable can be three tokens), no special tokens."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_byte_level), bos_token=end, eos_token=end, pad_token=end
    )


@pytest.fixture
def tiny_model_folder(tmp_path: Path, tiny_tokenizer: Any) -> Callable[..., Path]:
    """Return a function that writes a checkpoint: a BERT of 2 layers, 32 wide, with fixed random weights.

    Args of the function:
        name: name of the folder in tmp_path.
        tokenizer: default: `tiny_tokenizer`.
        weights: False omits the weights.
        seed: seed of the weights.
        config: fields of BertConfig.
    """

    def make(
        name: str = "tiny-bert", *, tokenizer: Any = None, weights: bool = True, seed: int = 0, **config: Any
    ) -> Path:
        import torch
        from transformers import BertConfig, BertModel

        tokenizer = tokenizer or tiny_tokenizer
        sizes = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
        sizes |= {"vocab_size": len(tokenizer), "max_position_embeddings": 128, "pad_token_id": tokenizer.pad_token_id}
        made = BertConfig(**{**sizes, **config})
        folder = tmp_path / name
        if weights:
            with torch.random.fork_rng():
                torch.manual_seed(seed)
                BertModel(made).save_pretrained(folder)
        made.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
        return folder

    return make


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
    """Return a classifier of one layer, trained on sample-sentiment for 3 epochs."""
    from helpers import job

    from ratsnlp_like.training.finetune import fine_tune

    folder = tmp_path_factory.mktemp("classifier")
    return fine_tune(**job(folder, epochs=3, learning_rate=5e-3, limit_train=None, limit_eval=None))


@pytest.fixture(scope="session")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
    """Return an NER model of one layer, trained on sample-ner for 6 epochs."""
    from helpers import job

    from ratsnlp_like.training.finetune import fine_tune

    folder = tmp_path_factory.mktemp("recognizer")
    options = {"task": "ner", "corpus": "sample-ner", "epochs": 6, "learning_rate": 5e-3}
    return fine_tune(**job(folder, limit_train=None, limit_eval=None, **options))


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Return the folders of a randomly initialised classifier and of its export to ONNX."""
    from saved_models import save_random_model

    from ratsnlp_like.export.export import export

    root = tmp_path_factory.mktemp("exported")
    source = save_random_model("classification", root / "model")
    export(source, output=root / "onnx", limit_eval=24)
    return source, root / "onnx"


@pytest.fixture
def host() -> Iterator[str]:
    """Return the address of a local HTTP host; `download_helpers.Host` sets its responses."""
    from http.server import ThreadingHTTPServer
    from threading import Thread

    from download_helpers import CONTENT, Host

    Host.content, Host.tag, Host.failures = CONTENT, '"v1"', 0
    Host.requests.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Host) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
