"""The operating system: durable and small files, temporary folders, the clock."""
