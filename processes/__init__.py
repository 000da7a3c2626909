"""Child processes that may be killed: how they are started, spoken to and ended. Imports nothing of ours."""
