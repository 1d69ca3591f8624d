"""The picture in the terminal. Imports from ``live``."""
