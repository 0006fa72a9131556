"""The fleet for Prometheus."""
