"""Files are opened as UTF-8, whatever the locale: PLW1514 of ruff checks the code, this test what it runs."""

from __future__ import annotations

from pathlib import Path

import pytest
from helpers import flags, python, write

_RUN = """
import sys
from pathlib import Path
from ratsnlp_like.cli.main import main
folder = Path(sys.argv[1])
codes = [main(sys.argv[2:])]
codes += [main(["train", "--config", str(folder / "run" / "config.yaml"), "--output", str(folder / "again")])]
codes += [main(["train", "--output", str(folder / "again"), "--resume"])]
codes += [main(["evaluate", str(folder / "run")]), main(["predict", str(folder / "run"), "값이 싸요 😀"])]
codes += [main(["inspect", str(folder / "후기.csv"), "--checkpoint", "ko-blank-bert"])]
print("codes", codes)
"""


@pytest.mark.exhaustive
@pytest.mark.slow
def test_no_command_opens_a_file_in_the_encoding_of_the_locale(tmp_path: Path) -> None:
    rows = "".join(f"{i}번 가게,{'좋음' if i % 2 else '나쁨'}\n" for i in range(40))
    corpus = write(tmp_path / "후기.csv", "후기,별점\n" + rows)
    own = flags(tmp_path, corpus=corpus, max_steps=2, baselines=False, limit_train=None, limit_eval=None)
    done = python(_RUN, tmp_path, *own, interpreter=["-X", "warn_default_encoding"])
    assert "codes [0, 0, 0, 0, 0, 0]" in done.stdout, done.stderr
    lines = done.stderr.splitlines()
    assert [line for line in lines if "EncodingWarning" in line and "/ratsnlp_like/" in line] == []
