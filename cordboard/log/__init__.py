"""The log: one port, and the kinds behind it."""
