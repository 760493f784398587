"""Installation of ratsnlp_like; requirements.txt is the single list of its requirements."""

import re
from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent


def requirements() -> list[str]:
    """Return the lines of requirements.txt without comments."""
    lines = (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def version() -> str:
    """Return the version stated in the package."""
    text = (HERE / "ratsnlp_like" / "__init__.py").read_text(encoding="utf-8")
    return re.search(r'^__version__ = "(.+)"', text, re.MULTILINE).group(1)


setup(
    name="ratsnlp_like",
    version=version(),
    description="Fine-tuning of pretrained Korean language models: from a file of text to a model you can trust",
    long_description=(HERE / "README.md").read_text(encoding="utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    url="https://github.com/ratsnlp-like/ratsnlp_like",
    python_requires=">=3.11",
    packages=find_packages(include=["ratsnlp_like", "ratsnlp_like.*"]),
    package_data={
        "ratsnlp_like": [
            "py.typed",
            "corpora/samples/*",
            "checkpoints/bundled/*/*",
            "serve/static/*",
            "pages/style.css",
            "nlpbook/static/*",
        ]
    },
    install_requires=requirements(),
    extras_require={
        "sentencepiece": ["sentencepiece>=0.2", "protobuf>=4"],  # KoBERT's tokenizer
        "xlsx": ["openpyxl>=3.1"],
        "lora": ["peft>=0.20"],
        "onnx": ["onnx>=1.18", "onnxruntime>=1.20", "onnxscript>=0.5"],  # prediction needs onnxruntime alone
        "serve": [],  # part of the package: the book's deployment notebooks install nothing else
        "tune": ["optuna>=4"],
        "plots": ["matplotlib>=3.8", "koreanize-matplotlib>=0.1.1"],  # koreanize-matplotlib for its font
        "tensorboard": ["tensorboard>=2.15"],
        "wandb": ["wandb>=0.16"],
        "mlflow": ["mlflow>=2.10"],
        "dev": [
            "pytest>=8",
            "pytest-xdist>=3.5",
            "hypothesis>=6.100",
            "httpx2>=2",  # starlette's test client
            "playwright>=1.49",  # drives the Chromium of the system in tests
            "emoji>=2",
            "openpyxl>=3.1",
            "sacrebleu>=2.4",
            "soynlp>=0.0.493",
            "ruff>=0.9",
            "mypy>=1.13",
            "types-PyYAML",
            "nbclient>=0.10",
            "nbformat>=5.10",
            "ipykernel>=6.29",
        ],
    },
    entry_points={"console_scripts": ["ratsnlp-like = ratsnlp_like.__main__:main"]},
    classifiers=[
        "License :: OSI Approved :: MIT License",
        "Natural Language :: Korean",
        "Programming Language :: Python :: 3",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
)
