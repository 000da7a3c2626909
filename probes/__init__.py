"""Probes: one question to the network each, one Measurement each. PROBES is the whole registry."""
