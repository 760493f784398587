"""The notebooks on vocabularies, tokenization and embeddings, and golden ids of real tokenizers."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from helpers import write
from nlpbook_helpers import BAD, GOOD

from ratsnlp_like.nlpbook import classification


def test_vocabulary_and_tokenization(vocabularies: Path) -> None:
    assert {path.name for path in (vocabularies / "bbpe").iterdir()} == {"vocab.json", "merges.txt"}
    assert {path.name for path in (vocabularies / "wordpiece").iterdir()} == {"vocab.txt"}
    from transformers import BertTokenizer, GPT2Tokenizer

    tokenizer_gpt = GPT2Tokenizer.from_pretrained(str(vocabularies / "bbpe"))
    tokenizer_gpt.pad_token = "[PAD]"
    tokenizer_bert = BertTokenizer.from_pretrained(str(vocabularies / "wordpiece"), do_lower_case=False)
    for tokenizer in (tokenizer_gpt, tokenizer_bert):
        sentences = [GOOD[0], BAD[1], "새 영화다"]
        assert all(tokenizer.tokenize(sentence) for sentence in sentences)
        batch_inputs = tokenizer(sentences, padding="max_length", max_length=12, truncation=True)
        assert [len(ids) for ids in batch_inputs["input_ids"]] == [12, 12, 12]
        assert batch_inputs["attention_mask"][0].count(1) <= 12
    assert "".join(tokenizer_bert.tokenize(GOOD[0])).replace("##", "") == GOOD[0].replace(" ", "")
    batch_inputs = tokenizer_bert([GOOD[0]], padding="max_length", max_length=12, truncation=True)
    assert batch_inputs["input_ids"][0][0] == tokenizer_bert.cls_token_id
    assert set(batch_inputs["token_type_ids"][0]) == {0}


def test_embedding(root: Path) -> None:
    from transformers import BertConfig, BertModel, BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(str(root / "bert"), do_lower_case=False)
    pretrained_model_config = BertConfig.from_pretrained(str(root / "bert"))
    model = BertModel.from_pretrained(str(root / "bert"), config=pretrained_model_config)
    features = tokenizer(["안녕하세요", "하이!"], max_length=10, padding="max_length", truncation=True)
    with torch.no_grad():
        outputs = model(**{k: torch.tensor(v) for k, v in features.items()})
    assert outputs.last_hidden_state.shape == (2, 10, 256)
    assert outputs.pooler_output.shape == (2, 256)


def test_ids_of_kcbert(tokenizers_root: Path, tmp_path: Path) -> None:
    from transformers import BertTokenizer

    tokenizer = BertTokenizer.from_pretrained(str(tokenizers_root / "kcbert-base"), do_lower_case=False)
    assert tokenizer("안녕하세요")["input_ids"] == [2, 19017, 8482, 3]
    write(
        tmp_path / "nsmc" / "ratings_train.txt", "id\tdocument\tlabel\n9976970\t아 더빙.. 진짜 짜증나네요 목소리\t0\n"
    )
    args = classification.ClassificationTrainArguments(
        downstream_corpus_name="nsmc", downstream_corpus_root_dir=str(tmp_path)
    )
    dataset = classification.ClassificationDataset(args, tokenizer, classification.NsmcCorpus())
    ids = [2, 2170, 832, 5045, 17, 17, 7992, 29734, 4040, 10720, 3]
    assert dataset[0] == classification.ClassificationFeatures(ids, [1] * 11, [0] * 11, 0)


def test_byte_pair_merges_of_the_book() -> None:
    """Counts: `hug` 10, `pug` 5, `pun` 12, `bun` 4, `hugs` 5; vocabulary of 11."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    counts = {"hug": 10, "pug": 5, "pun": 12, "bun": 4, "hugs": 5}
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.BpeTrainer(vocab_size=11, special_tokens=["<unk>"], show_progress=False)
    tokenizer.train_from_iterator([word for word, count in counts.items() for _ in range(count)], trainer)
    model = json.loads(tokenizer.to_str())["model"]
    assert [" ".join(merge) for merge in model["merges"]] == ["u g", "u n", "h ug"]
    assert set(model["vocab"]) == {"<unk>", *"bghnpsu", "ug", "un", "hug"}
    assert tokenizer.encode("pug bug mug").tokens == ["p", "ug", "b", "ug", "<unk>", "ug"]
