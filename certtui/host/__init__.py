"""What is true of a host: facts, read through :class:`certtui.host.interface.Host` only."""
