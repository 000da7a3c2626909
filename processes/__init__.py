"""Child processes, threads and tasks that may hang: started, spoken to and ended. Imports nothing of ours."""
