"""Generation: targets, conversations, metrics, streaming, inputs."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from helpers import command, job, write

from ratsnlp_like.corpora.opening import open_corpus
from ratsnlp_like.errors import InputError
from ratsnlp_like.evaluation.evaluate import evaluate
from ratsnlp_like.examples.base import Place
from ratsnlp_like.examples.generation import GenerationExample
from ratsnlp_like.inference.predictor import Predictor
from ratsnlp_like.metrics.generation import generation_scores
from ratsnlp_like.tasks.base import Window
from ratsnlp_like.tasks.causal_model import Generated
from ratsnlp_like.tasks.generation import Generation
from ratsnlp_like.training.finetune import fine_tune

TEMPLATE = (
    "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}{{ eos_token if m['role'] == 'assistant' else '\n' }}"
    "{% endfor %}{% if add_generation_prompt %}assistant: {% endif %}"
)
"""A chat template of the plainest kind: an assistant's turn ends with the end token."""
TASK = Generation()


@pytest.fixture
def gpt() -> Any:
    """The tokenizer of the bundled GPT, for whoever changes it."""
    from ratsnlp_like.checkpoints.base import load_config, resolve
    from ratsnlp_like.checkpoints.tokenizer import load_tokenizer

    name = resolve("ko-tiny-gpt")
    return load_tokenizer(name, load_config(name))


@pytest.fixture(scope="module")
def bundled() -> Predictor:
    return Predictor.from_pretrained("ko-tiny-gpt", device="cpu")


def windows(tokenizer: Any, *examples: GenerationExample, max_length: int = 64) -> list[dict[str, Any]]:
    return TASK.encode(examples, tokenizer, [], max_length)


def target_text(tokenizer: Any, window: dict[str, Any]) -> str:
    """The tokens of a window that carry loss, as text."""
    ids = [i for i, target in zip(window["input_ids"], window["is_target"], strict=True) if target]
    return str(tokenizer.decode(ids))


class TestTargets:
    def test_only_the_completion_and_its_end(self, gpt: Any) -> None:
        (window,) = windows(gpt, GenerationExample(prompt="질문: 몇 시야?", completion=" 세 시야."))
        assert gpt.decode(window["input_ids"]) == "<s>질문: 몇 시야? 세 시야.</s>"
        assert target_text(gpt, window) == " 세 시야.</s>"
        assert window["lost"] == 0

    def test_the_loss_is_that_of_the_completion_alone(self, bundled: Predictor) -> None:
        tokenizer, model = bundled.tokenizer, bundled.model
        (window,) = windows(tokenizer, GenerationExample(prompt="이 영화는", completion=" 정말 좋다"))
        batch = TASK.collate([window], tokenizer)
        ids = torch.tensor([window["input_ids"]])
        labels = torch.tensor([[i if target else -100 for i, target in zip(ids[0], window["is_target"], strict=True)]])
        with torch.inference_mode():
            expected = model(ids, labels=labels).loss
            assert TASK.loss(model, batch).item() == pytest.approx(expected.item(), rel=1e-4)

    def test_padding_is_masked_and_not_recognised_by_its_id(self, bundled: Predictor) -> None:
        """Where the end token is the padding token too, ends are targets and padding is not."""
        tokenizer, model = bundled.tokenizer, bundled.model
        pad, tokenizer.pad_token = tokenizer.pad_token, tokenizer.eos_token
        try:
            one, two = windows(
                tokenizer,
                GenerationExample(prompt="가", completion=" 나"),
                GenerationExample(prompt="이 영화는", completion=" 처음부터 끝까지 한순간도 지루하지 않았다"),
            )
            with torch.inference_mode():
                together = TASK.loss(model, TASK.collate([one, two], tokenizer)).item()
                alone = [TASK.loss(model, TASK.collate([w], tokenizer)).item() for w in (one, two)]
        finally:
            tokenizer.pad_token = pad
        counts = [sum(w["is_target"]) for w in (one, two)]
        expected = sum(loss * n for loss, n in zip(alone, counts, strict=True)) / sum(counts)
        assert together == pytest.approx(expected, rel=1e-4)

    def test_all_of_a_text_over_windows(self, gpt: Any) -> None:
        text = "아침에 일어나서 창문을 열고 물을 한 잔 마셨다. 그리고 천천히 걸어서 시장에 다녀왔다."
        found = windows(gpt, GenerationExample(completion=text), max_length=12)
        assert len(found) > 2
        assert "".join(target_text(gpt, window) for window in found) == text + "</s>"
        assert all(len(window["input_ids"]) <= 12 and window["lost"] == 0 for window in found)
        assert all(window["input_ids"][0] == gpt.bos_token_id for window in found)

    def test_a_completion_that_is_too_long_is_counted(self, gpt: Any) -> None:
        example = GenerationExample(prompt="안녕", completion=" 반가워요" * 30)
        (window,) = windows(gpt, example, max_length=16)
        (whole,) = windows(gpt, example, max_length=512)
        assert window["lost"] == len(whole["input_ids"]) - 16

    def test_an_empty_text_teaches_nothing(self, gpt: Any) -> None:
        assert windows(gpt, GenerationExample(completion="")) == []

    def test_a_prompt_that_leaves_no_room(self, gpt: Any) -> None:
        example = GenerationExample(prompt="아주 긴 질문입니다 " * 20, completion="네", place=Place("a.csv", line=7))
        with pytest.raises(InputError) as raised:
            windows(gpt, example, max_length=32)
        assert "a.csv" in str(raised.value)
        assert "7" in str(raised.value)
        assert "--max_length" in str(raised.value)


class TestConversations:
    TURNS = (("user", "안녕?"), ("assistant", "네, 안녕하세요."), ("user", "잘 가"), ("assistant", "또 봐요."))

    def test_targets_are_the_assistants_turns(self, gpt: Any) -> None:
        gpt.chat_template = TEMPLATE
        (window,) = windows(gpt, GenerationExample.of(list(self.TURNS)))
        whole = "user: 안녕?\nassistant: 네, 안녕하세요.</s>user: 잘 가\nassistant: 또 봐요.</s>"
        assert gpt.decode(window["input_ids"]) == whole
        assert (
            target_text(gpt, window) == " 네, 안녕하세요.</s> 또 봐요.</s>"
        )  # the space before them is in their tokens

    def test_a_conversation_as_a_prompt(self, gpt: Any) -> None:
        gpt.chat_template = TEMPLATE
        (window,) = TASK.encode_inputs([GenerationExample.of(list(self.TURNS[:3]))], gpt, 64)
        assert gpt.decode(window["input_ids"]).endswith("user: 잘 가\nassistant:")

    @pytest.mark.parametrize("end", [": ", ":\n", ":", "> "])
    def test_a_prompt_has_the_tokens_of_training(self, gpt: Any, end: str) -> None:
        """The space that ends a template is in the first token of the turn; alone it would be a token of its own."""
        gpt.chat_template = TEMPLATE.replace("assistant: ", f"assistant{end}").replace("'] }}: {{", f"'] }}}}{end}{{{{")
        (whole,) = windows(gpt, GenerationExample.of(list(self.TURNS[:2])))
        (opened,) = TASK.encode_inputs([GenerationExample.of(list(self.TURNS[:1]))], gpt, 64)
        assert opened["input_ids"] == whole["input_ids"][: whole["is_target"].index(1)]

    def test_the_space_of_a_template_is_not_generated(self, gpt: Any) -> None:
        gpt.chat_template = TEMPLATE
        example = GenerationExample.of(list(self.TURNS[:1]))
        (window,) = TASK.encode_inputs([example], gpt, 64)
        reply = gpt.encode(" 네, 안녕하세요.", add_special_tokens=False)
        found = TASK.decode(example, [Window(window, [[*reply, gpt.eos_token_id]])], [], gpt)
        assert isinstance(found, Generated)
        assert found.continuations == ("네, 안녕하세요.",)
        assert found.text.endswith("assistant: 네, 안녕하세요.")

    def test_no_template(self, gpt: Any) -> None:
        with pytest.raises(InputError, match="has no chat template"):
            windows(gpt, GenerationExample.of(list(self.TURNS)))

    def test_nobody_answers(self, gpt: Any) -> None:
        gpt.chat_template = TEMPLATE
        with pytest.raises(InputError, match="no message is the assistant's"):
            windows(gpt, GenerationExample.of([("user", "안녕?"), ("system", "짧게")]))

    def test_a_template_that_rewrites_earlier_turns(self, gpt: Any) -> None:
        gpt.chat_template = "{{ messages | length }}" + TEMPLATE
        with pytest.raises(InputError, match="differently when others follow"):
            windows(gpt, GenerationExample.of(list(self.TURNS)))


class TestMetrics:
    """Values by hand."""

    @pytest.mark.parametrize(
        ("references", "written", "expected"),
        [
            ([["가나다라"]], ["가나다라"], 1.0),
            ([["가나"]], ["다라"], 0.0),
            # runs of 1: 2 of 3 and of 3; runs of 2: 1 of 2 and of 2; runs of 3: none. The mean of 2/3, 1/2 and 0
            ([["가나다"]], ["가나라"], (2 / 3 + 1 / 2 + 0) / 3),
            ([["마바사", "가나다"]], ["가나다"], 1.0),  # the nearest of several references
            ([["가 나"]], ["가나"], 1.0),  # white space is no character
        ],
    )
    def test_chrf(self, references: list[list[str]], written: list[str], expected: float) -> None:
        assert generation_scores(references, written)["chrf"] == pytest.approx(expected, abs=1e-6)

    def test_distinct(self) -> None:
        found = generation_scores([["-"]] * 2, ["정말 정말 좋다", "정말 좋다"])
        assert found["distinct_1"] == pytest.approx(2 / 5)
        assert found["distinct_2"] == pytest.approx(2 / 3)  # 정말 정말, 정말 좋다, 정말 좋다

    def test_nothing_written(self) -> None:
        assert generation_scores([["가"]], [""]) == {"chrf": 0.0, "distinct_1": 0.0, "distinct_2": 0.0}
        assert generation_scores([], []) == {"chrf": 0.0, "distinct_1": 0.0, "distinct_2": 0.0}

    def test_lengths(self) -> None:
        with pytest.raises(ValueError, match="length"):
            generation_scores([["가"]], [])


class TestScoreGeneration:
    @staticmethod
    def echo(inputs: list[GenerationExample]) -> Any:
        def predict(examples: Sequence[GenerationExample]) -> list[Any]:
            inputs.extend(examples)
            return [Generated("", ("좋아요",)) for _ in examples]

        return predict

    def test_completions_of_one_prompt_are_its_references(self) -> None:
        inputs: list[GenerationExample] = []
        examples = [GenerationExample(prompt="어때?", completion=c) for c in ("싫어요", "좋아요")]
        found = TASK.score_generation(self.echo(inputs), examples)
        assert inputs == [GenerationExample(prompt="어때?")]
        assert found["chrf"] == pytest.approx(1.0)
        assert found["prompts"] == 1

    def test_eval_prompts_are_spread_over_the_split(self) -> None:
        inputs: list[GenerationExample] = []
        examples = [GenerationExample(prompt=f"{i}?", completion="네") for i in range(10)]
        found = Generation(eval_prompts=3).score_generation(self.echo(inputs), examples)
        assert found["prompts"] == 3
        assert found["intervals"] == {"chrf": [0.0, 0.0]}
        assert [example.prompt for example in inputs] == ["0?", "3?", "6?"]

    def test_none(self) -> None:
        inputs: list[GenerationExample] = []
        texts = [GenerationExample(completion="글")]
        assert TASK.score_generation(self.echo(inputs), texts) == {}
        prompts = [GenerationExample(prompt="가", completion="나")]
        assert Generation(eval_prompts=0).score_generation(self.echo(inputs), prompts) == {}
        assert not inputs

    def test_conversations(self) -> None:
        inputs: list[GenerationExample] = []
        turns = [("user", "어때?"), ("assistant", "좋아요")]
        found = TASK.score_generation(self.echo(inputs), [GenerationExample.of(turns)])
        assert inputs == [GenerationExample.of(turns[:1])]
        assert found["chrf"] == pytest.approx(1.0)

    @pytest.mark.slow
    def test_a_run_and_its_evaluation_report_them(self, tmp_path: Path) -> None:
        result = fine_tune(
            **job(
                tmp_path,
                task="generation",
                corpus="sample-prompts",
                checkpoint="ko-tiny-gpt",
                init="pretrained",
                config_overrides={},
                max_length=64,
                max_new_tokens=8,
                eval_prompts=5,
            )
        )
        assert result.test_metrics is not None
        assert result.test_metrics["prompts"] == 5
        assert 0 < result.test_metrics["chrf"] < 1
        assert json.loads((result.best / "metrics.json").read_text())["test"] == result.test_metrics
        again = evaluate(
            result.output, corpus="sample-prompts", limit_eval=24, cache_dir=tmp_path / "cache", progress=False
        )
        assert again["chrf"] == pytest.approx(result.test_metrics["chrf"])
        assert again["perplexity"] == pytest.approx(result.test_metrics["perplexity"], rel=1e-5)


class TestStream:
    @pytest.mark.parametrize("options", [{}, {"sample": False}, {"generation_seed": 3, "top_k": 20}])
    def test_the_pieces_are_the_continuation(self, bundled: Predictor, options: dict[str, Any]) -> None:
        pieces = list(bundled.stream("이 영화는", max_new_tokens=24, **options))
        whole = bundled("이 영화는", max_new_tokens=24, **options)
        assert len(pieces) > 1
        assert "".join(pieces) == whole.continuations[0]
        assert not any("\ufffd" in piece for piece in pieces)

    def test_who_reads_no_further_stops_it(self, bundled: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
        steps: list[int] = []
        before = threading.active_count()
        forward = bundled.model.forward
        monkeypatch.setattr(bundled.model, "forward", lambda *a, **k: (steps.append(1), forward(*a, **k))[1])
        stream = bundled.stream("이 영화는", max_new_tokens=400, min_new_tokens=400)
        next(stream)
        stream.close()  # type: ignore[attr-defined]
        assert len(steps) < 400
        assert threading.active_count() == before

    def test_what_goes_wrong_in_the_thread_is_raised_here(self, bundled: Predictor) -> None:
        with pytest.raises(InputError, match="more than the model's"):
            list(bundled.stream("이 영화는", max_new_tokens=1000))

    @pytest.mark.parametrize("options", [{"continuations": 2}, {"num_beams": 2, "sample": False}])
    def test_one_at_a_time(self, bundled: Predictor, options: dict[str, Any]) -> None:
        with pytest.raises(InputError, match="1 where text is streamed"):
            bundled.stream("이 영화는", **options)

    def test_a_task_that_does_not_generate(self) -> None:
        with pytest.raises(InputError, match="does not generate text"):
            Predictor.from_pretrained("ko-tiny-bert", device="cpu").stream("이 [MASK]")

    def test_an_unknown_option(self, bundled: Predictor) -> None:
        with pytest.raises(InputError, match="unknown option 'top_kk'"):
            bundled.stream("이 영화는", top_kk=3)

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_the_command(self, bundled: Predictor) -> None:
        shown = command(["predict", "ko-tiny-gpt", "이 영화는", "--stream", "--max_new_tokens", 12])
        assert shown.stdout == "이 영화는" + bundled("이 영화는", max_new_tokens=12).continuations[0] + "\n"
        refused = command(["predict", "ko-tiny-gpt", "이 영화는", "--stream", "--output", "a.jsonl"])
        assert refused.returncode == 2
        assert "--stream and --output" in refused.stderr


class TestBadInput:
    def test_an_encoder_is_refused(self, tmp_path: Path) -> None:
        own = {"checkpoint": "ko-tiny-bert", "init": "pretrained", "config_overrides": {}}
        with pytest.raises(InputError, match="a bert does not generate text"):
            fine_tune(**job(tmp_path, task="generation", corpus="sample-prompts", **own))

    @pytest.mark.parametrize(
        ("rows", "expected"),
        [
            (
                '{"prompt": "가", "completion": "나"}\n{"prompt": null, "completion": "나"}\n',
                "the row has no prompt",
            ),
            ('{"messages": [["user", "가"]]}\n{"messages": [{"role": "user"}]}\n', "cannot read the message"),
            ('{"messages": [["user", "가"]]}\n{"messages": "안녕"}\n', "the messages are '안녕'"),
        ],
    )
    def test_rows(self, tmp_path: Path, rows: str, expected: str) -> None:
        path = write(tmp_path / "rows.jsonl", rows)
        own = {"checkpoint": "ko-tiny-gpt", "init": "pretrained", "config_overrides": {}}
        with pytest.raises(InputError) as raised:
            fine_tune(**job(tmp_path, task="generation", corpus=path, **own))
        assert expected in str(raised.value)
        assert "rows.jsonl, line 2" in str(raised.value)


@pytest.mark.exhaustive
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("texts.txt", "오늘은 하늘이 맑다\n"),
        ("texts.jsonl", '{"text": "오늘은 하늘이 맑다"}\n'),
        (
            "talk.jsonl",
            '{"messages": [{"role": "user", "content": "뭐 해?"}, {"role": "assistant", "content": "쉬어"}]}\n',
        ),
    ],
)
def test_rows_without_a_prompt_train(tmp_path: Path, gpt: Any, name: str, row: str) -> None:
    """Texts and conversations; the template belongs to what was encoded, so that another one finds no stale cache."""
    gpt.chat_template = TEMPLATE
    folder = tmp_path / "talks"
    Predictor.from_pretrained("ko-tiny-gpt").save_pretrained(folder)
    gpt.save_pretrained(folder)
    path = write(tmp_path / name, row * 12)
    own = {"init": "pretrained", "config_overrides": {}, "max_steps": 1, "eval_prompts": 2, "max_new_tokens": 4}
    own["eval_corpus"] = str(path)  # equal rows are never separated, so none could be held out
    given = job(tmp_path, task="generation", corpus=path, checkpoint=folder, **own)
    assert fine_tune(**given).metrics["targets"] > 0
    if name.startswith("talk"):
        without = job(tmp_path, task="generation", corpus=path, checkpoint="ko-tiny-gpt", **own)
        with pytest.raises(InputError, match="has no chat template"):
            fine_tune(**without | {"output": tmp_path / "other"})


@pytest.mark.exhaustive
@pytest.mark.slow
def test_the_end_token_is_trained_and_stops(tmp_path: Path) -> None:
    """After memorising one sentence, the model generates it and no more."""
    rows = '{"prompt": "수도는?", "completion": " 서울입니다."}\n'
    path = write(tmp_path / "rows.jsonl", rows * 32)
    result = fine_tune(
        **job(
            tmp_path,
            task="generation",
            corpus=path,
            eval_corpus=str(path),
            checkpoint="ko-tiny-gpt",
            init="pretrained",
            config_overrides={},
            learning_rate=3e-3,
            epochs=8,
            warmup=0,
        )
    )
    assert result.predictor("수도는?", sample=False).continuations == (" 서울입니다.",)
    assert result.metrics["perplexity"] < 1.1
    assert result.metrics["chrf"] == pytest.approx(1.0)


def test_the_baseline_predicts_the_tokens_of_completions(gpt: Any) -> None:
    rows = [GenerationExample(prompt="이 영화는", completion=" 좋다"), GenerationExample(completion="배우가 좋다")]
    expected = [[*gpt.encode(text, add_special_tokens=False), gpt.eos_token_id] for text in (" 좋다", "배우가 좋다")]
    assert TASK.target_ids(rows, gpt) == expected
    (found,) = TASK.baselines(rows, rows[:1], [], gpt).values()
    assert found[0].targets == len(expected[0])


@pytest.mark.parametrize("name", ["kogpt2-v1"])
def test_real_special_tokens(real_tokenizer: Any, name: str) -> None:
    tokenizer = real_tokenizer(name)
    (window,) = windows(tokenizer, GenerationExample(prompt="안녕하세요", completion=" 반갑습니다"))
    assert window["input_ids"][-1] == tokenizer.convert_tokens_to_ids("</s>")
    assert "token_type_ids" not in window
    assert target_text(tokenizer, window).endswith("</s>")


def test_special_tokens_of_kogpt2_come_from_the_table(tokenizers_root: Path) -> None:
    from ratsnlp_like.checkpoints.base import find

    entry = find("skt/kogpt2-base-v2")
    assert entry is not None
    assert entry.tokenizer_kwargs["eos_token"] == "</s>"
    assert entry.tokenizer_kwargs["pad_token"] == "<pad>"
    assert "token_type_ids" in entry.drop_inputs


def test_a_text_is_a_completion_in_training_and_a_prompt_in_prediction(tmp_path: Path) -> None:
    path = write(tmp_path / "prompts.txt", "오늘 하루가\n길었어\n")
    corpus = open_corpus(path, GenerationExample, "generation")
    trained = list(corpus.examples(tmp_path, "train"))
    inputs = list(corpus.inputs(tmp_path, "train"))
    assert [(e.prompt, e.completion) for e in trained] == [("", "오늘 하루가"), ("", "길었어")]
    assert [(e.prompt, e.completion) for e in inputs] == [("오늘 하루가", None), ("길었어", None)]
    assert GenerationExample.of({"text": "가"}) == GenerationExample(prompt="가")
    assert GenerationExample.of({"prompt": "가", "completion": "나"}) == GenerationExample(prompt="가", completion="나")
    assert [str(e) for e in inputs] == ["오늘 하루가", "길었어"]
    assert str(GenerationExample.of([{"role": "user", "content": "안녕"}])) == "안녕"


def test_empty_examples() -> None:
    """The completion decides; a prompt without a completion is not empty."""
    assert not GenerationExample(prompt="가").is_empty
    assert not GenerationExample(completion="나").is_empty
    assert GenerationExample(prompt=" ").is_empty
    assert GenerationExample(prompt="가", completion=" ").is_empty
    assert not GenerationExample.of([("user", ""), ("assistant", "네")]).is_empty
    assert GenerationExample.of([("user", "안녕"), ("assistant", " ")]).is_empty


def test_the_input_of_an_instruction_follows_it(tmp_path: Path) -> None:
    rows = [
        {"instruction": "요약해 줘", "input": "비가 왔다.", "output": "비"},
        {"instruction": "인사해 줘", "input": "", "output": "안녕"},
    ]
    path = write(tmp_path / "alpaca.jsonl", "\n".join(json.dumps(row, ensure_ascii=False) for row in rows))
    corpus = open_corpus(path, GenerationExample, "generation")
    read = [(e.prompt, e.completion) for e in corpus.examples(tmp_path, "train") if isinstance(e, GenerationExample)]
    assert read == [("요약해 줘\n비가 왔다.", "비"), ("인사해 줘", "안녕")]
    assert GenerationExample.of({"prompt": "요약", "input": "가나"}).prompt == "요약\n가나"
    path = write(tmp_path / "own.csv", "input,output\n가,나\n")
    (example,) = open_corpus(path, GenerationExample, "generation").examples(tmp_path, "train")
    assert str(example) == "가"


def test_a_list_of_messages_is_one_conversation(bundled: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundled.tokenizer, "chat_template", TEMPLATE)
    turns = [{"role": "user", "content": "안녕?"}]
    task = Predictor(Generation(max_new_tokens=4), bundled.model, bundled.tokenizer, [], max_length=64)
    assert isinstance(task(turns), Generated)
    assert len(task([turns, turns])) == 2
    (row,) = task.rows([turns])
    assert list(row) == ["messages", "generated", "continuations"]
    assert row["messages"] == turns


@pytest.mark.slow
def test_prompts_one_by_one_are_sampled_independently(bundled: Predictor) -> None:
    # a temperature at which the prompt decides nothing: the same draws write the same tokens
    task = bundled.with_options(max_new_tokens=16, min_new_tokens=16, temperature=1e8, top_p=1.0)
    first, second = task("이 영화는"), task("그 배우는")
    assert first == task("이 영화는")
    assert first.continuations[0].strip() != second.continuations[0].strip()


@pytest.mark.slow
def test_evaluation_takes_inference_options(tmp_path: Path) -> None:
    rows = "\n".join(f"번호 {i},대답 {i}" for i in range(12))
    path = write(tmp_path / "a.csv", f"prompt,completion\n{rows}\n")
    options = {"task": "generation", "corpus": str(path), "checkpoint": "ko-tiny-gpt", "max_steps": 1}
    fine_tune(**job(tmp_path, **options, eval_corpus=str(path), max_new_tokens=4, eval_prompts=2, config_overrides={}))
    measured = evaluate(tmp_path / "run", corpus=path, eval_prompts=5, max_new_tokens=2, sample=False)
    assert measured["prompts"] == 5
    assert "prompts" not in evaluate(tmp_path / "run", corpus=path, eval_prompts=0)
    with pytest.raises(InputError, match="max_new_tokens"):
        evaluate(tmp_path / "run", corpus=path, max_new_tokens=0)
