"""Inference: saved models, loaded with their task and tokenizer, that predict on new text."""
