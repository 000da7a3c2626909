"""The record of a self-test, and all that is made of it: vocabulary, policy, verdict, advice."""
