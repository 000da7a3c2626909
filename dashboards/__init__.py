"""Dashboards: data, and the script that builds them."""
