"""The bodies shown in the one frame, one module each."""
