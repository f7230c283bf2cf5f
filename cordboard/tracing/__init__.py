"""Traces: a port that the code tells of its spans, and OpenTelemetry behind it, imported only where it is wanted.

Where nothing is traced there is no tracer at all (None), so that it costs a look at that.
"""
