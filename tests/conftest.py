"""What all tests share: no network, no cache but their own, tokenizers and checkpoints made on the spot.

Real corpora and tokenizers lie beside the repository in `shared/data`; tests that want them skip where it is absent.
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

# Before anything imports torch, tokenizers or the hub.
os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the models are tiny, and workers of xdist share the cores
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
"""What the tiny tokenizers are trained on."""

# A machine under load must not fail a test; what a property finds must not depend on the day.
settings.register_profile("ratsnlp_like", deadline=None, derandomize=True)
settings.load_profile("ratsnlp_like")


@pytest.fixture(scope="session", autouse=True)
def _own_environment(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """No test reads the user's corpora or cache, nor leaves anything there."""
    folder = tmp_path_factory.mktemp("environment")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RATSNLP_LIKE_CACHE", str(folder / "cache"))
        patch.setenv("RATSNLP_LIKE_CORPORA", str(folder / "corpora"))
        yield


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """The log of each test is its own: one that calls `main` leaves a handler, and records would come twice."""
    log = logging.getLogger("ratsnlp_like")

    def reset() -> None:  # pytest puts handlers of its own on a logger that does not propagate
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
    """Every connection fails at once; the list says which were tried."""
    tried: list[str] = []

    def refuse(*address: Any, **_: Any) -> Any:
        tried.append(str(address))
        raise NetworkUsedError(f"no network in tests: {address}")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return tried


# Real data


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real corpora and tokenizers."""
    if not DATA.is_dir():
        pytest.skip(f"real corpora and tokenizers are not at {DATA}")
    return DATA


@pytest.fixture(scope="session")
def korpora_root(data: Path) -> Path:
    """The root as Korpora lays it out."""
    return data / "korpora"


@pytest.fixture(scope="session")
def tokenizers_root(data: Path) -> Path:
    """Folders with a configuration and a tokenizer, without weights."""
    return data / "tokenizers"


@pytest.fixture(scope="session")
def real_tokenizer(tokenizers_root: Path) -> Callable[[str], Any]:
    """`real_tokenizer("kcbert-base")`: loaded as the package loads it, once a session."""
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


# Tokenizers made on the spot


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
    """BERT's kind: WordPiece between [CLS] (2) and [SEP] (3); [PAD] 0, [UNK] 1; token types."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_wordpiece),
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
        **{f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")},
    )


@pytest.fixture
def tiny_bpe_tokenizer(_byte_level: str) -> Any:
    """GPT-2's kind: byte-level BPE, so that a Hangul syllable can be three tokens; no special tokens around a text."""
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    end = "<|endoftext|>"
    return PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_byte_level), bos_token=end, eos_token=end, pad_token=end
    )


# Checkpoints made on the spot


@pytest.fixture
def tiny_model_folder(tmp_path: Path, tiny_tokenizer: Any) -> Callable[..., Path]:
    """`tiny_model_folder()` writes a checkpoint: a BERT of 2 layers, 32 wide, with fixed random weights.

    Args of the factory:
        name: of the folder, below tmp_path.
        tokenizer: another one than `tiny_tokenizer`.
        weights: False leaves them out.
        seed: of the weights.
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


# Trained models


@pytest.fixture(scope="session")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
    """A classifier of one layer, trained on sample-sentiment for 3 epochs."""
    from helpers import job

    from ratsnlp_like.training.finetune import fine_tune

    folder = tmp_path_factory.mktemp("classifier")
    return fine_tune(**job(folder, epochs=3, learning_rate=5e-3, limit_train=None, limit_eval=None))


@pytest.fixture(scope="session")
def recognizer(tmp_path_factory: pytest.TempPathFactory) -> FineTuneResult:
    """A recogniser of entities of one layer, trained on sample-ner for 6 epochs."""
    from helpers import job

    from ratsnlp_like.training.finetune import fine_tune

    folder = tmp_path_factory.mktemp("recognizer")
    options = {"task": "ner", "corpus": "sample-ner", "epochs": 6, "learning_rate": 5e-3}
    return fine_tune(**job(folder, limit_train=None, limit_eval=None, **options))


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The folders of a classifier with random weights and of its export to ONNX."""
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
