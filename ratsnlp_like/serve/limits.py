"""Limits of a server: sizes of requests, length of the queue, waiting times."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import InputError, raise_together

_MAX_OPTIONS = {
    "max_new_tokens": 512,
    "num_beams": 8,
    "continuations": 8,
    "candidates": 50,
    "n_best": 100,
    "max_answer_length": 200,
}


@dataclass(frozen=True)
class Limits:
    """Limits of a server."""

    max_body_bytes: int = 1_000_000
    """Longest body of a request, in bytes."""
    max_text_chars: int = 20_000
    """Longest text of an input, in characters."""
    max_inputs: int = 256
    """Most inputs of one request to /api/batch."""
    queue: int = 1024
    """Most inputs that wait for the model; further requests are refused with 503 and Retry-After."""
    batch_size: int = 32
    """Most inputs of one batch."""
    batch_wait_ms: float = 5.0
    """Time that an input waits for others to share its batch, in milliseconds; 0 does not wait."""
    request_timeout: float = 30.0
    """Time that a client has to send the head of a request, and each part of its body, in seconds."""
    max_options: dict[str, int] = field(default_factory=lambda: dict(_MAX_OPTIONS))
    """Highest values of options in a request, such as {"max_new_tokens": 512}."""

    def __post_init__(self) -> None:
        wrong = [
            InputError(f"{getattr(self, name)}", place=f"--{name}", expected="at least 1")
            for name in ("max_body_bytes", "max_text_chars", "max_inputs", "queue", "batch_size")
            if getattr(self, name) < 1
        ]
        if self.batch_wait_ms < 0:
            wrong.append(InputError(f"{self.batch_wait_ms}", place="--batch_wait_ms", expected="0 or more"))
        if self.request_timeout <= 0:
            wrong.append(InputError(f"{self.request_timeout}", place="--request_timeout", expected="a number above 0"))
        if self.queue < self.max_inputs:
            wrong.append(
                InputError(
                    f"a queue of {self.queue} can never hold a request of {self.max_inputs} inputs",
                    place="--queue",
                    fix=f"--queue {self.max_inputs}, or --max_inputs {self.queue}",
                )
            )
        raise_together(wrong)
