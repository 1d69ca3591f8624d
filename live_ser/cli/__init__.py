"""The command line. Imports from everywhere; nothing imports it."""
