"""A quicker start of the command line."""

from __future__ import annotations

import gc
from importlib.util import find_spec

import pytest

from ratsnlp_like.runtime.lazy_imports import starting, uncollected
from tests.helpers import environment, python


def said(code: str, **changes: str) -> list[str]:
    """What a new process prints."""
    done = python(code, env=environment(**changes))
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


class TestTorchmetrics:
    def test_lightning_brings_no_metrics(self) -> None:
        """Lightning asks for more of it, or torchmetrics is made otherwise: the start has become slow again."""
        assert said(
            "import sys\n"
            "from ratsnlp_like.runtime import lazy_imports as lean\n"
            "lean.install()\n"
            "import pytorch_lightning\n"
            "wanted = 'torchmetrics.metric', 'torchmetrics.functional', 'scipy.signal', 'matplotlib'\n"
            "print(*(name in sys.modules for name in wanted))"
        ) == ["True", "False", "False", "False"]

    def test_it_is_whole_where_it_is_asked_for(self) -> None:
        assert said(
            "from ratsnlp_like.runtime import lazy_imports as lean\n"
            "lean.install()\n"
            "import pytorch_lightning\n"
            "from torchmetrics import Metric\n"
            "import torchmetrics\n"
            "import torch\n"
            "accuracy = torchmetrics.Accuracy(task='multiclass', num_classes=2)\n"
            "print(isinstance(accuracy, Metric), torchmetrics.Metric is Metric)\n"
            "print(accuracy(torch.tensor([0, 1]), torch.tensor([0, 1])).item())\n"
            "print('Accuracy' in torchmetrics.__all__, hasattr(torchmetrics, '__wrapped__'))\n"
            "print(type(torchmetrics).__name__)"
        ) == ["True", "True", "1.0", "True", "False", "module"]

    def test_a_module_of_it_is_found(self) -> None:
        assert said(
            "from ratsnlp_like.runtime import lazy_imports as lean\n"
            "lean.install()\n"
            "from torchmetrics.classification import BinaryAccuracy\n"
            "import torchmetrics\n"
            "from importlib.metadata import version\n"
            "print(torchmetrics.__version__ == version('torchmetrics'))\n"
            "print(issubclass(BinaryAccuracy, torchmetrics.Metric))"
        ) == ["True", "True"]

    @pytest.mark.skipif(find_spec("matplotlib") is None, reason="needs matplotlib")
    def test_a_metric_draws_itself(self) -> None:
        assert said(
            "from ratsnlp_like.runtime import lazy_imports as lean\n"
            "lean.install()\n"
            "import pytorch_lightning, torch\n"
            "from torchmetrics.aggregation import MeanMetric\n"
            "mean = MeanMetric()\n"
            "mean.update(torch.tensor(1.0))\n"
            "print(type(mean.plot()[1]).__name__)\n"
            "import torchmetrics\n"
            "print(callable(torchmetrics.utilities.plot.plot_curve))",
            MPLBACKEND="agg",
        ) == ["Axes", "True"]

    def test_what_is_loaded_stays(self) -> None:
        assert said(
            "import torchmetrics\n"
            "from ratsnlp_like.runtime import lazy_imports as lean\n"
            "lean.install()\n"
            "import sys\n"
            "print(sys.modules['torchmetrics'] is torchmetrics)"
        ) == ["True"]


class TestUncollected:
    def test_it_ends_also_with_an_error(self) -> None:
        seen = []

        @uncollected()
        def fail() -> None:
            seen.append(gc.isenabled())
            raise ValueError("x")

        with pytest.raises(ValueError, match="x"):
            fail()
        assert seen == [False]
        assert gc.isenabled()

    def test_it_leaves_off_what_was_off(self) -> None:
        with uncollected():
            with uncollected():
                pass
            assert not gc.isenabled()
        assert gc.isenabled()

    def test_what_a_start_has_made_is_not_looked_at_again(self) -> None:
        before = gc.get_freeze_count()
        try:
            with starting():
                made = [[] for _ in range(1000)]
            assert gc.get_freeze_count() >= before + len(made)
            assert gc.isenabled()
        finally:
            gc.unfreeze()
