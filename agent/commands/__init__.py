"""What each command takes on the command line: it checks the arguments and calls. Registered in agent/cli.py."""
