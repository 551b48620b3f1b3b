"""The fire drill: a failure forced through the real scheduler, and proof of what came of it."""
