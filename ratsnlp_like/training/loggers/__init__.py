"""Loggers by name: one file each. A logger is made from the run folder (`LOGGERS["wandb"](folder)`)."""
