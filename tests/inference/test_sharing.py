"""Sharing a model: what is uploaded, against a local stand-in for the hub; no path of this machine leaves it."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from helpers import command, environment

from ratsnlp_like.cli.main import main
from ratsnlp_like.errors import InputError
from ratsnlp_like.inference.model_card import ModelCard, license_of
from ratsnlp_like.inference.sharing import share
from ratsnlp_like.tasks.classification import Classification
from ratsnlp_like.training.finetune import FineTuneResult

REPOSITORY = "someone/reviews-bert"


class Hub(BaseHTTPRequestHandler):
    """The requests of an upload: the repository, the kind of each file, large files, and the commit."""

    requests: list[tuple[str, Any]]
    stored: dict[str, bytes]
    denied = False

    def _answer(self, content: Any, status: int = 200) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def do_GET(self) -> None:
        self._answer({"id": REPOSITORY, "sha": "0" * 40, "siblings": []})

    def do_PUT(self) -> None:
        self.stored[self.path] = self._body()
        self._answer({})

    def do_POST(self) -> None:
        address, body = f"http://{self.headers['Host']}", self._body()
        if self.denied:
            self._answer({"error": "You don't have the rights to create a model under this namespace"}, 403)
        elif self.path.endswith("/commit/main"):
            self.requests.append((self.path, [json.loads(line) for line in body.splitlines()]))
            self._answer({"commitUrl": f"{address}/{REPOSITORY}/commit/1", "commitOid": "1", "success": True})
        elif self.path.endswith("/objects/batch"):
            upload = {"href": f"{address}/upload"}
            objects = json.loads(body)["objects"]
            self._answer({"transfer": "basic", "objects": [own | {"actions": {"upload": upload}} for own in objects]})
        elif "/preupload/" in self.path:
            files = json.loads(body)["files"]
            modes = {own["path"]: "lfs" if own["path"].endswith(".safetensors") else "regular" for own in files}
            self._answer(
                {"files": [{"path": p, "uploadMode": m, "shouldIgnore": False, "oid": None} for p, m in modes.items()]}
            )
        elif self.path == "/api/validate-yaml":
            self._answer({"errors": [], "warnings": []})
        else:
            self.requests.append((self.path, json.loads(body)))
            self._answer({"url": f"{address}/{REPOSITORY}"})

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def hub() -> Iterator[tuple[type[Hub], str]]:
    handler = type("Handler", (Hub,), {"requests": [], "stored": {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield handler, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def of_hub(address: str) -> dict[str, str]:
    return environment(HF_HUB_OFFLINE="0", HF_ENDPOINT=address, HF_TOKEN="hf_local", HF_HUB_DISABLE_XET="1")


@pytest.mark.slow  # a process without the setting that keeps tests offline
def test_upload(classifier: FineTuneResult, hub: tuple[type[Hub], str]) -> None:
    handler, address = hub
    done = command(["share", classifier.output, REPOSITORY, "--license", "mit"], env=of_hub(address))
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{address}/{REPOSITORY}/commit/1"
    created, committed = handler.requests
    assert (created[1]["name"], created[1]["organization"]) == ("reviews-bert", "someone")
    assert created[1].get("private", created[1].get("visibility")) in {True, "private"}
    files = {own["value"]["path"]: own for own in committed[1] if own["key"] != "header"}
    assert {"README.md", "config.json", "task.json", "metrics.json", "model.safetensors"} <= set(files)
    assert handler.stored["/upload"] == (classifier.best / "model.safetensors").read_bytes()
    card = base64.b64decode(files["README.md"]["value"]["content"]).decode()
    assert f'Predictor.from_pretrained("{REPOSITORY}")' in card


@pytest.mark.slow
def test_refused_by_the_hub(classifier: FineTuneResult, hub: tuple[type[Hub], str]) -> None:
    handler, address = hub
    handler.denied = True
    done = command(["share", classifier.output, REPOSITORY], env=of_hub(address))
    assert done.returncode == 2
    assert "error: someone/reviews-bert: the hub refuses the upload (" in done.stderr
    assert "hf auth login" in done.stderr
    assert "Traceback" not in done.stderr


def test_dry_run(classifier: FineTuneResult, no_network: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["share", str(classifier.output), REPOSITORY, "--dry_run"]) == 0
    shown = capsys.readouterr().out
    assert no_network == []
    assert "model.safetensors" in shown
    assert f"nothing was sent to {REPOSITORY} (private if it is new)" in shown
    assert str(classifier.output) not in shown


def test_no_path_of_this_machine_is_uploaded(classifier: FineTuneResult, tmp_path: Path) -> None:
    import shutil

    from ratsnlp_like.inference import sharing

    folder = tmp_path / "model"
    shutil.copytree(classifier.best, folder)
    content = json.loads((folder / "task.json").read_text())
    content["about"] |= {"corpus": "/home/someone/secret/reviews.csv", "checkpoint": "/home/someone/models/my-bert"}
    (folder / "task.json").write_text(json.dumps(content))
    with sharing._staged(folder, REPOSITORY, None) as staged:
        for path in staged.rglob("*"):
            assert b"/home/" not in path.read_bytes()
        assert json.loads((staged / "task.json").read_text())["about"]["corpus"] == "reviews.csv"
        assert "my-bert fine-tuned on reviews.csv" in (staged / "README.md").read_text()


@pytest.mark.parametrize("name", ["reviews", "a/b/c", "/home/x", "이름/모델"])
def test_invalid_names(classifier: FineTuneResult, name: str) -> None:
    with pytest.raises(InputError, match="owner/name"):
        share(classifier.output, name, dry_run=True)


def metadata(card: ModelCard) -> dict[str, Any]:
    return dict(yaml.safe_load(str(card).split("---")[1]))


def test_metadata() -> None:
    about = {"checkpoint": "klue/roberta-base", "corpus": "nsmc", "training": {"learning_rate": 5e-5, "epochs": 3}}
    scores = {"accuracy": 0.9, "loss": 0.3, "per_class": {"긍정": {"f1": 0.91, "support": 50}}}
    card = ModelCard(Classification(), ["긍정", "부정"], 128, about, {"test": scores}, name=REPOSITORY)
    found = metadata(card)
    assert found["license"] == "cc-by-sa-4.0"
    assert (found["language"], found["base_model"]) == ("ko", "klue/roberta-base")
    assert (found["library_name"], found["pipeline_tag"]) == ("transformers", "text-classification")
    (model,) = found["model-index"]
    assert model["name"] == "reviews-bert"
    (result,) = model["results"]
    assert result["dataset"] == {"name": "nsmc", "type": "nsmc", "split": "test"}
    assert result["metrics"] == [{"type": "accuracy", "value": 0.9, "name": "accuracy"}]
    text = str(card)
    assert "| learning rate | 5e-05 |" in text
    assert "| 긍정 | 0.9100 | 50 |" in text
    assert "optimistic" not in text


def test_the_hub_reads_the_metadata() -> None:
    from huggingface_hub import ModelCard as HubCard

    about = {"checkpoint": "klue/bert-base", "corpus": "nsmc"}
    own = ModelCard(Classification(), ["a"], 128, about, {"validation": {"accuracy": 0.9}}, name=REPOSITORY)
    data = HubCard(str(own)).data
    assert data.eval_results[0].metric_value == 0.9
    assert data.base_model == "klue/bert-base"


@pytest.mark.parametrize(
    ("checkpoint", "license"),
    [("ko-tiny-bert", "mit"), ("skt/kobert-base-v1", "apache-2.0"), ("who/knows", None), ("kobart", None), ("", None)],
)
def test_licenses(checkpoint: str, license: str | None) -> None:
    assert license_of(checkpoint) == license
