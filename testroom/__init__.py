"""The test room: the far end that probes measure against."""
