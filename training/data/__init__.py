"""Clips to batches: features, augmentation, baselines."""
