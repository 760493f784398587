"""Checkpoints for Korean whose files state all that is needed: they are listed, and loaded like any other.

https://huggingface.co/models?language=ko
"""

import re

from ..registry import CHECKPOINTS
from .base import Checkpoint

_MODELS: dict[str, tuple[str, str, int | None]] = {
    "kykim/bert-kor-base": ("BERT base, WordPiece, lower case", "bert", 512),
    "kykim/albert-kor-base": ("ALBERT base, WordPiece, lower case", "albert", 512),
    "kykim/electra-kor-base": ("ELECTRA base, WordPiece, lower case", "electra", 512),
    "kykim/funnel-kor-base": ("Funnel Transformer base, WordPiece, lower case", "funnel", None),
    "monologg/kobigbird-bert-base": ("BigBird base, WordPiece; runs with full attention", "big_bird", 4_096),
    "kakaobank/kf-deberta-base": ("DeBERTa-v2 base, finance; bf16 or fp32", "deberta-v2", None),
    "team-lucid/deberta-v3-base-korean": ("DeBERTa-v3 base; bf16 or fp32", "deberta-v2", None),
    "lighthouse/mdeberta-v3-base-kor-further": ("mDeBERTa-v3 base, SentencePiece; bf16 or fp32", "deberta-v2", None),
    "skt/A.X-Encoder-base": ("ModernBERT base, 149 million parameters", "modernbert", 16_384),
    "x2bee/KoModernBERT": ("ModernBERT, several sizes by suffix", "modernbert", None),
    "nlpai-lab/KURE-v1": ("XLM-RoBERTa large, sentence embeddings", "xlm-roberta", 8_192),
    "dragonkue/BGE-m3-ko": ("XLM-RoBERTa large, sentence embeddings", "xlm-roberta", 8_192),
    "nlpai-lab/KoE5": ("XLM-RoBERTa large, sentence embeddings", "xlm-roberta", None),
    "jhgan/ko-sroberta-multitask": ("RoBERTa base, sentence embeddings", "roberta", None),
    "BM-K/KoSimCSE-roberta": ("RoBERTa base, sentence embeddings", "roberta", None),
    "EleutherAI/polyglot-ko-1.3b": ("GPT-NeoX, 1.3 billion parameters and more by suffix", "gpt_neox", None),
    "kakaocorp/kanana-1.5-2.1b-instruct-2505": ("Llama, conversations, bf16, Apache-2.0", "llama", None),
    "skt/A.X-3.1-Light": ("Llama, conversations, bf16, Apache-2.0", "llama", None),
    "skt/A.X-4.0-Light": ("Qwen2, conversations, bf16", "qwen2", None),
    "naver-hyperclovax/HyperCLOVAX-SEED-Text-Instruct-0.5B": ("Llama, conversations; also 1.5B", "llama", None),
    "LGAI-EXAONE/EXAONE-4.0-1.2B": ("EXAONE 4, conversations", "exaone4", None),
    "Qwen/Qwen3-0.6B": ("Qwen3, multilingual, conversations; more sizes by suffix", "qwen3", None),
    "google/gemma-3-1b-it": ("Gemma 3, multilingual, conversations", "gemma3_text", None),
    "paust/pko-t5-base": ("T5 base, byte-level BPE; also small and large", "t5", None),
}
"""Hub id -> description, model type, longest input. None of it could be compared with the files."""

for _name, (_description, _kind, _positions) in _MODELS.items():
    CHECKPOINTS.register(
        _name, Checkpoint(_description, pattern=re.escape(_name), model_type=_kind, positions=_positions)
    )
