"""The local page and command line of Mötesklar, and when and for whom its self-tests run."""
