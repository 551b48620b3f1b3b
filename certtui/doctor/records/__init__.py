"""What certtui and its scripts have written, and is it still so."""
