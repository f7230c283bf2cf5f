"""The ingress's spool: a local file for webhooks while the log cannot be written."""

from dispatcher.ingress.spool.metrics import SpoolMetrics as SpoolMetrics
from dispatcher.ingress.spool.spool import Spool as Spool
from dispatcher.ingress.spool.spool import SpoolFailed as SpoolFailed
