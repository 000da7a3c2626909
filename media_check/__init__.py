"""Checks of this computer's devices: one question to a device each."""
