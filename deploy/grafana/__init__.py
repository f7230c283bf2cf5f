"""The dashboard for Grafana, made from what is to be seen."""
