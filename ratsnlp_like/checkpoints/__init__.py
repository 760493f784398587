"""Pretrained checkpoints: loading, and the quirks of those that need more than their files contain."""
