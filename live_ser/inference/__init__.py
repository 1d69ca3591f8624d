"""Features to results: windows, utterances, predictions, verdicts. Imports from ``model``."""
