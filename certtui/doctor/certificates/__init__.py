"""What the certificates are, what certbot will do with them, and what is served."""
