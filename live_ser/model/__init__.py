"""The network in its file, and what is known of a speaker. Imports from ``frontend``."""
