"""Checks that prove, with evidence, that the next renewal will happen."""
