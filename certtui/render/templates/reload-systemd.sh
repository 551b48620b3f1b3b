# ---- a web server that systemd runs -----------------------------------------------------------

# A server that is stopped stays stopped: it reads the new certificate when it starts. One that our
# own attempt has ended is not taken for stopped.
load_certificates() {
    case $ACTION in
        restart) load_how=restart ;;
        *) load_how=reload-or-restart ;;
    esac
    [ -e "$STATE/server-ended" ] || load_how=try-$load_how
    limit 120 systemctl "$load_how" "$UNIT" && return 0
    limit 30 systemctl is-active --quiet "$UNIT" || : >"$STATE/server-ended"
    return 1
}

# Whether there is such a unit at all.
find_server() {
    limit 30 systemctl cat "$UNIT"
}
