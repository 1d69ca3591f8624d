"""Many recordings: jobs, worker processes, Dask clusters. Imports from ``records``."""
