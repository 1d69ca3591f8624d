"""Sound input: devices, sound files, arrays, pipes; all give blocks. Imports no other room."""
