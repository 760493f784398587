"""Chat templates for tokenizers that have none."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

from ..errors import InputError

log = logging.getLogger("ratsnlp_like")

_START, _END = "<|im_start|>", "<|im_end|>"
CHATML = (
    "{% for message in messages %}"
    f"{{{{ '{_START}' + message['role'] + '\\n' + message['content'] + '{_END}\\n' }}}}"
    "{% endfor %}"
    f"{{% if add_generation_prompt %}}{{{{ '{_START}assistant\\n' }}}}{{% endif %}}"
)
"""The format of OpenAI's ChatML: each turn between two tokens, after its role."""


def set_chat_template(tokenizer: Any, config: Any, template: str, *, frozen: bool = False) -> None:
    """Give a tokenizer a chat template.

    Args:
        tokenizer: of transformers. It is saved with the model.
        config: of the model; the end of a turn in ChatML ends a generated text.
        template: path of a file in Jinja, or `chatml`, whose two tokens are added where the vocabulary lacks them.
        frozen: embeddings are not trained, so that no token can be added.

    Raises:
        InputError: there is no such file, it is no template, or a token would be added that is not trained.
    """
    if template == "chatml":
        _add_chatml(tokenizer, config, frozen=frozen)
        return
    path = Path(template).expanduser()
    if not path.is_file():
        raise InputError(f"no such file: {template}", place="--chat_template", expected="a file in Jinja, or chatml")
    try:
        tokenizer.chat_template = path.read_text(encoding="utf-8")
        turns = [{"role": "user", "content": "안녕"}, {"role": "assistant", "content": "네"}]
        rendered = str(tokenizer.apply_chat_template(turns, tokenize=False))
    except Exception as error:  # Jinja's own exceptions, and what a template raises
        expected = "a template in Jinja over `messages`"
        raise InputError(f"no chat template: {error}", place=path, expected=expected) from None
    if "안녕" not in rendered:
        problem = "the template does not write the content of messages"
        raise InputError(problem, place=path, expected="message['content']")


def _add_chatml(tokenizer: Any, config: Any, *, frozen: bool) -> None:
    missing = [token for token in (_START, _END) if token not in tokenizer.get_vocab()]
    if missing and frozen:
        raise InputError(
            f"the vocabulary lacks {' and '.join(missing)}, and --lora does not train embeddings",
            place="--chat_template chatml",
            fix="--chat_template FILE, with tokens of the vocabulary; or leave out --lora",
        )
    tokens = {"additional_special_tokens": [_START, _END]}
    tokenizer.add_special_tokens(tokens, replace_extra_special_tokens=False)
    if missing:
        log.info("chatml: %s are added to the vocabulary; their embeddings start from random values.", missing)
    tokenizer.chat_template = CHATML
    end, known = tokenizer.convert_tokens_to_ids(_END), config.eos_token_id
    ends = known if isinstance(known, list) else [known]
    config.eos_token_id = [*(number for number in ends if number not in {None, end}), end]
