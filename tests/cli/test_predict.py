"""`ratsnlp-like predict`: inputs and outputs."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from helpers import (
    COMMAND,
    flags,
    python,
    tsv,
)
from helpers import write as write_file
from helpers_cli import ROWS, Cli, check_message, read_jsonl

from ratsnlp_like.inference.predictor import Predictor


class TestPredict:
    TEXTS = ("국물이 진하고 맛있어요", "", "두 시간이 아까운 영화")

    def test_arguments(self, run: Path, cli: Cli) -> None:
        outcome = cli("predict", run, *self.TEXTS)
        assert outcome.code == 0
        rows = read_jsonl(outcome.out)
        assert [row["text"] for row in rows] == list(self.TEXTS)
        assert [row["label"] for row in rows] == [p.label for p in Predictor.from_pretrained(run)(list(self.TEXTS))]
        assert set(rows[0]["scores"]) == {"긍정", "부정"}
        assert "\\u" not in outcome.out  # Hangul as it is

    def test_entities(self, ner_run: Path, cli: Cli) -> None:
        text = "김하늘은 부산에 있는 한빛전자에 다닌다"
        (row,) = read_jsonl(cli("predict", ner_run, text).out)
        assert row["text"] == text
        assert row["entities"]
        for entity in row["entities"]:
            assert text[entity["start"] : entity["end"]] == entity["text"]
            assert 0 < entity["score"] <= 1

    def test_explanations(self, run: Path, ner_run: Path, cli: Cli) -> None:
        text = "김하늘은 부산에 있는 한빛전자에 다닌다"
        for model, decisions in ((run, 1), (ner_run, len(Predictor.from_pretrained(ner_run)(text).entities))):
            (row,) = read_jsonl(cli("predict", model, text, "--explain", "--show", "jsonl").out)
            assert len(row["explanations"]) == decisions > 0
            assert all(own["error"] < 0.01 for own in row["explanations"])
            assert [word["text"] for word in row["explanations"][0]["words"]] == text.split()
            shown = cli("predict", model, text, "--explain", "--show", "table").out
            assert shown.count("completeness error") == decisions
            assert all(f"for {own['target']}: " in shown for own in row["explanations"])
        check_message(cli("predict", run, text, "--explain", "--stream"), "--explain and --stream")

    def test_a_text_that_looks_like_a_flag(self, run: Path, cli: Cli) -> None:
        outcome = cli("predict", run, "--", "--;; 이게 뭐야", "-_- 별로")
        assert outcome.code == 0, outcome.err
        assert [row["text"] for row in read_jsonl(outcome.out)] == ["--;; 이게 뭐야", "-_- 별로"]

    @pytest.mark.parametrize("kind", ["txt", "csv", "tsv", "jsonl", "json", "parquet"])
    def test_files(self, run: Path, tmp_path: Path, cli: Cli, kind: str) -> None:
        path, texts = tmp_path / f"in.{kind}", list(self.TEXTS)
        if kind == "txt":
            write_file(path, "\n".join(texts) + "\n")
        elif kind == "csv":
            write_file(path, "id,text\n" + "".join(f'{i},"{text}"\n' for i, text in enumerate(texts)))
        elif kind == "tsv":
            write_file(path, "id\ttext\n" + "".join(f"{i}\t{text}\n" for i, text in enumerate(texts)))
        elif kind == "jsonl":
            write_file(path, "".join(json.dumps({"text": text}) + "\n" for text in texts))
        elif kind == "json":
            write_file(path, json.dumps([{"text": text} for text in texts]))
        else:
            import pyarrow as pa
            import pyarrow.parquet as pq

            pq.write_table(pa.table({"text": texts}), path)
        outcome = cli("predict", run, "--input", path)
        assert outcome.code == 0, outcome.err
        assert [row["text"] for row in read_jsonl(outcome.out)] == texts

    def test_labels_in_the_file_are_not_looked_at(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.tsv", "text\tlabel\n좋아요\t0.5\n별로\t\n")
        assert [row["text"] for row in read_jsonl(cli("predict", run, "--input", path).out)] == ["좋아요", "별로"]

    @pytest.mark.parametrize("kind", ["jsonl", "csv"])
    def test_other_columns_go_along(self, run: Path, tmp_path: Path, cli: Cli, kind: str) -> None:
        """Columns of a file keep their names; a name that the prediction has too gets `input_`."""
        path = write_file(tmp_path / "a.csv", "id,document,label\n7,좋아요,긍정\n9,별로,부정\n")
        out = tmp_path / f"out.{kind}"
        outcome = cli("predict", run, "--input", path, "--output", out)
        assert outcome.code == 0, outcome.err
        text = out.read_text(encoding="utf-8-sig")
        rows = read_jsonl(text) if kind == "jsonl" else list(csv.DictReader(io.StringIO(text)))
        assert list(rows[0])[:4] == ["id", "document", "input_label", "label"]
        assert [(row["id"], row["input_label"], row["document"]) for row in rows] == [
            ("7", "긍정", "좋아요"), ("9", "부정", "별로"),
        ]  # fmt: skip
        assert all(row["label"] in {"긍정", "부정"} for row in rows)

    @pytest.mark.slow
    def test_predictions_of_predictions(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        """The right labels outlive a second run, and a third."""
        path = write_file(tmp_path / "0.csv", "id,text,label\n7,별로,긍정\n")
        for i in range(3):
            outcome = cli("predict", run, "--input", path, "--output", path := tmp_path / f"{i + 1}.csv")
            assert outcome.code == 0, outcome.err
        (row,) = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8-sig")))
        assert (row["id"], row["input_label"]) == ("7", "긍정")
        assert {"label", "input_input_label", "score", "input_score"} <= set(row)

    def test_columns_that_json_does_not_know(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        import datetime
        from decimal import Decimal

        import pyarrow as pa
        import pyarrow.parquet as pq

        day = datetime.date(2026, 11, 25)
        pq.write_table(
            pa.table({"text": ["좋아요"], "day": [day], "days": [[day]], "price": [Decimal("1.50")]}),
            tmp_path / "a.parquet",
        )
        (row,) = read_jsonl(cli("predict", run, "--input", tmp_path / "a.parquet").out)
        assert (row["day"], row["days"], row["price"]) == ("2026-11-25", ["2026-11-25"], "1.50")
        outcome = cli("predict", run, "--input", tmp_path / "a.parquet", "--output", tmp_path / "out.csv")
        assert outcome.code == 0, outcome.err

    def test_rows_of_other_columns_than_the_first_in_csv(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        rows = [{"text": "좋아요", "id": 1}, {"text": "별로", "day": 2}]
        path = write_file(tmp_path / "a.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
        outcome = cli("predict", run, "--input", path, "--output", tmp_path / "out.csv")
        assert outcome.code == 0
        read = list(csv.DictReader(io.StringIO((tmp_path / "out.csv").read_text(encoding="utf-8-sig"))))
        assert [(row["text"], row["id"], row["day"]) for row in read] == [("좋아요", "1", ""), ("별로", "", "2")]
        outcome = cli("predict", run, "--input", path, "--show", "csv")  # which is written at once
        assert re.search(r"row 2 has columns .*: day; --output FILE.csv", outcome.err)
        assert [row["id"] for row in csv.DictReader(io.StringIO(outcome.out))] == ["1", ""]

    def test_a_named_column(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.csv", "글,댓글\n하나,둘\n셋,넷\n")
        outcome = cli("predict", run, "--input", path, "--text_column", "댓글")
        rows = read_jsonl(outcome.out)
        assert [(row["글"], row["댓글"]) for row in rows] == [("하나", "둘"), ("셋", "넷")]
        assert [row["label"] for row in rows] == [p.label for p in Predictor.from_pretrained(run)(["둘", "넷"])]

    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.jsonl", '{"text": "맛있다"}\n{"text": \n{"text": "맛없다"}\n'),
            ("a.csv", "text,label\n맛있다,x\n맛있다,x,y,z\n맛없다,x\n"),
        ],
    )
    def test_a_line_that_cannot_be_read(self, run: Path, tmp_path: Path, cli: Cli, name: str, content: str) -> None:
        path = write_file(tmp_path / name, content)
        outcome = cli("predict", run, "--input", path, "--output", tmp_path / "out.jsonl")
        assert outcome.code == 0, outcome.err
        first, broken, last = read_jsonl((tmp_path / "out.jsonl").read_text())
        assert (first["text"], last["text"]) == ("맛있다", "맛없다")
        assert f"{path}, line {2 + name.endswith('csv')}" in broken["error"]["place"]
        assert "1 of 3 inputs have an error instead of a prediction" in outcome.err

    def test_all_files_of_a_folder(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        for name, text in (("train.csv", "맛있다"), ("test.csv", "맛없다")):
            write_file(tmp_path / "all" / name, f"text,label\n{text},긍정\n")
        outcome = cli("predict", run, "--input", tmp_path / "all", "--output", tmp_path / "out.jsonl")
        assert outcome.code == 0, outcome.err
        assert [row["text"] for row in read_jsonl((tmp_path / "out.jsonl").read_text())] == ["맛있다", "맛없다"]

    @pytest.mark.slow
    def test_columns_of_training_are_remembered(self, tmp_path: Path, cli: Cli) -> None:
        rows = [(f"{i}", text, label) for i, (text, label) in enumerate(ROWS)]
        corpus = tsv(tmp_path / "a.tsv", rows, header="번호\t남긴 말\t느낌")
        own = {"corpus": corpus, "text_column": "남긴 말", "label_column": "느낌", "max_steps": 1}
        assert cli(*flags(tmp_path, **own)).code == 0
        new = tsv(tmp_path / "b.tsv", [("7", "참 좋네요")], header="번호\t남긴 말")
        outcome = cli("predict", tmp_path / "run", "--input", new)
        assert outcome.code == 0, outcome.err
        (row,) = read_jsonl(outcome.out)
        assert list(row)[:3] == ["번호", "남긴 말", "label"]
        other = tsv(tmp_path / "c.tsv", [("가", "나")], header="text\tid")
        assert cli("predict", tmp_path / "run", "--input", other).code == 0

    def test_standard_input(self, run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO("좋아요\n\n별로\r\n끝"))
        outcome = cli("predict", run)
        assert outcome.code == 0
        assert [row["text"] for row in read_jsonl(outcome.out)] == ["좋아요", "", "별로", "끝"]

    def test_no_input_at_all(self, run: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        outcome = cli("predict", run)
        assert (outcome.code, outcome.out) == (0, "")

    def test_a_jsonl_file(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        outcome = cli("predict", run, *self.TEXTS, "--output", tmp_path / "new" / "out.jsonl")
        assert (outcome.code, outcome.out) == (0, "")
        assert outcome.err == f"3 predictions: {tmp_path / 'new' / 'out.jsonl'}\n"
        assert [row["text"] for row in read_jsonl((tmp_path / "new" / "out.jsonl").read_text())] == list(self.TEXTS)

    def test_a_csv_file_that_excel_opens(self, run: Path, ner_run: Path, tmp_path: Path, cli: Cli) -> None:
        path = tmp_path / "out.csv"
        texts = ['쉼표, 그리고 "따옴표"', "=1+1", "좋아요"]
        assert cli("predict", run, *texts, "--output", path).code == 0
        assert path.read_bytes().startswith(b"\xef\xbb\xbftext,label,score")
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["text"] for row in rows] == texts
        assert 0.5 <= float(rows[0]["score"]) <= 1
        assert {"score_긍정", "score_부정"} <= set(rows[0])
        assert float(rows[0]["score_긍정"]) + float(rows[0]["score_부정"]) == pytest.approx(1, abs=1e-6)
        assert cli("predict", ner_run, "김하늘은 부산에", "--output", path).code == 0
        with path.open(encoding="utf-8-sig", newline="") as file:
            (row,) = csv.DictReader(file)
        assert isinstance(json.loads(row["entities"]), list)

    def test_csv_of_nothing_has_a_header_or_is_empty(
        self, run: Path, tmp_path: Path, cli: Cli, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(""))
        assert cli("predict", run, "--output", tmp_path / "out.csv").code == 0
        assert len((tmp_path / "out.csv").read_text(encoding="utf-8-sig").splitlines()) <= 1

    def test_a_table(self, run: Path, ner_run: Path, cli: Cli) -> None:
        outcome = cli("predict", run, "좋아요 [bold]", "--show", "table")
        assert outcome.code == 0
        assert "좋아요 [bold]" in outcome.out  # markup of the table library is text here
        assert re.search(r"(긍정|부정) 0\.\d{3}", outcome.out)
        assert cli("predict", ner_run, "김하늘은 부산에", "--show", "table").code == 0

    def test_the_output_may_not_be_the_input(self, run: Path, tmp_path: Path, cli: Cli) -> None:
        path = write_file(tmp_path / "a.jsonl", '{"text": "좋아요"}\n{"text": "별로"}\n')
        before = path.read_bytes()
        (tmp_path / "link.jsonl").symlink_to(path)
        for output in (path, tmp_path / "link.jsonl"):
            check_message(cli("predict", run, "--input", path, "--output", output), "written over the input")
            assert path.read_bytes() == before

    @pytest.mark.parametrize("name", ["out.xlsx", "out", "out.txt"])
    def test_an_unknown_kind_of_output(self, run: Path, tmp_path: Path, cli: Cli, name: str) -> None:
        outcome = cli("predict", run, "좋아요", "--output", tmp_path / name)
        check_message(outcome, "--output", "FILE.jsonl or FILE.csv")
        assert not (tmp_path / name).exists()

    def test_an_unknown_way_to_show(self, run: Path, cli: Cli) -> None:
        check_message(cli("predict", run, "좋아요", "--show", "josnl"), "did you mean 'jsonl'")

    @pytest.mark.slow
    def test_bytes_of_standard_input(self, run: Path) -> None:
        cases = ["좋아요\n\n😀\n".encode(), "\ufeff좋아요\n".encode(), "좋아요\n".encode("cp949")]
        code = (
            "import io, json, sys\nfrom ratsnlp_like.cli import main\n"
            f"for content in {cases!r}:\n"
            "    sys.stdin = io.TextIOWrapper(io.BytesIO(content), encoding='utf-8')\n"
            "    print('CODE', main(['predict', sys.argv[1]]), flush=True)\n"
        )
        done = python(code, run)
        assert "Traceback" not in done.stderr
        first, second, third, _ = re.split(r"CODE \d+\n", done.stdout)
        assert [row["text"] for row in read_jsonl(first)] == ["좋아요", "", "😀"]
        assert [row["text"] for row in read_jsonl(second)] == ["좋아요"]
        assert third == ""
        assert re.findall(r"CODE (\d+)", done.stdout) == ["0", "0", "2"]
        assert "UTF-8" in done.stderr

    @pytest.mark.slow
    def test_predict_says_what_it_cuts(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        outcome = cli("predict", tmp_path / "run", "짧은 글", "아주 긴 글 " * 100)
        assert "1 texts are longer than" in outcome.err
        assert "longer than" not in cli("predict", tmp_path / "run", "짧은 글").err

    @pytest.mark.exhaustive
    @pytest.mark.slow
    def test_bytes_that_are_no_text(self, tmp_path: Path, cli: Cli) -> None:
        assert cli(*flags(tmp_path)).code == 0
        done = subprocess.run(
            [*COMMAND, "predict", str(tmp_path / "run")],
            input="좋아요\n".encode("cp949"),
            capture_output=True,
            check=False,
        )
        assert done.returncode == 2
        assert b"error: standard input: not UTF-8" in done.stderr
        assert b"Traceback" not in done.stderr
