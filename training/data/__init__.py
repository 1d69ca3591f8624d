"""From clips to batches: features, augmentation and baselines."""
