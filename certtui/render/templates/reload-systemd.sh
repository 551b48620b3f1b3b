# ---- a web server that systemd runs -----------------------------------------------------------

# A server that is stopped stays stopped: it reads the new certificate when it starts.
load_certificates() {
    if [ "$ACTION" = restart ]; then
        limit 120 systemctl try-restart "$UNIT"
    else
        limit 120 systemctl try-reload-or-restart "$UNIT"
    fi
}

# Whether there is such a unit at all.
find_server() {
    limit 30 systemctl cat "$UNIT"
}
