"""A live ``certbot renew --dry-run`` as a stream of typed events."""
