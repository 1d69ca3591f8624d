"""Corpora of emotional speech, published or the user's own: clips, labels and splits."""
