"""What starts a renewal, and will it: cron, systemd, at, and whatever else renews here."""
