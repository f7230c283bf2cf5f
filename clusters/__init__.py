"""A real Kubernetes without containers: etcd, API server, controllers, scheduler, nodes that only say they run pods.

For checking what is to be deployed, on one machine. It imports nothing of ours but where free ports are.
"""

from clusters.controlplane import ControlPlane as ControlPlane
from clusters.kubectl import Kubectl as Kubectl
from clusters.kubectl import KubectlFailed as KubectlFailed
from clusters.tools import Missing as Missing
