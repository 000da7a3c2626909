"""The background service, `motesklar agent`: it tests now and then, keeps the answer at hand, and hands reports in.

The process that waits imports little and does little (service.py). Whatever needs packages, measuring and sending among
them, is done by a child process (work.py) that ends when it is done.
"""
