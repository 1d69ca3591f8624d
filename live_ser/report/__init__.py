"""HTML pages and plots of sessions and recordings. Imports from ``records``."""
