"""The roles a process can play, put together from the parts: the only place that knows brain, hands and log at once."""
