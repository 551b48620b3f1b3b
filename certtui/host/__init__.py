"""What is true of a host: read-only facts, gathered through :class:`certtui.host.interface.Host`."""
