"""Sound in: devices, files, arrays and what they give, blocks. Imports nothing from other rooms."""
