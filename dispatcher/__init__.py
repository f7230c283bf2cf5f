"""The brain: decides what happens to every command of a call, and writes it down before it happens."""
