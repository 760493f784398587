"""Fine-tuning: the job and its run folder, the Lightning module and trainer, callbacks and loggers."""
