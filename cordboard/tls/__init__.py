"""Certificates as files that are renewed beneath a running process: read, judged, served by the next handshake."""
