"""The receipt of one self-test, to be kept or handed in: HTML or PDF, with a reference code.

It holds no address, no name of a link or a device that somebody may have given, and nothing that was captured: links
are known by their kind, devices by the record's labels.
"""
