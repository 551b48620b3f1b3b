"""The plan: what the administrator decided, declared once, typed, and kept as readable TOML."""
