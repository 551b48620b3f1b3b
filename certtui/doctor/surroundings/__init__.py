"""What a renewal stands on: mail, clock, disk and file systems."""
