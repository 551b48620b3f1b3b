"""certtui makes certificate renewal on a server certain: choose, preview, apply, prove."""

__version__ = "0.1.0"
