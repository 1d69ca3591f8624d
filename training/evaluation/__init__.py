"""Evaluation of exported models: recordings, conditions, metrics and the model card."""
