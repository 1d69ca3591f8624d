"""Many recordings: jobs, workers, clusters. Imports from ``records``."""
