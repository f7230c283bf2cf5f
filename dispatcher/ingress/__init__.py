"""The public door: webhooks from Telnyx, verified, made durable, and only then acknowledged."""

from dispatcher.ingress.door import Ingress as Ingress
from dispatcher.ingress.door import ingress_server as ingress_server
from dispatcher.ingress.metrics import IngressMetrics as IngressMetrics
from dispatcher.ingress.spool import Spool as Spool
from dispatcher.ingress.spool import SpoolMetrics as SpoolMetrics
