# ---- a web server without systemd -------------------------------------------------------------

# Whether a process of the server's name runs; there need be no ps or pgrep.
running() {
    for running_file in /proc/[0-9]*/comm; do
        { read -r running_name <"$running_file"; } 2>/dev/null || continue
        [ "$running_name" = "$SERVICE" ] && return 0
    done
    return 1
}

# A server that is stopped stays stopped: it reads the new certificate when it starts. One that our
# own attempt has ended is not taken for stopped.
load_certificates() {
    load_how=$ACTION
    if [ -e "$STATE/server-ended" ]; then
        load_how=restart
    elif ! running; then
        return 0
    fi
    load_code=0
    # A service command knows only servers that have an init script.
    if command -v service >/dev/null 2>&1 && [ -x "/etc/init.d/$SERVICE" ]; then
        limit 120 service "$SERVICE" "$load_how" || load_code=1
    else
        # nginx has no restart of its own. Stopping it may end a container, and only who started it
        # knows with which arguments.
        if [ "$ACTION" = restart ] && [ "$SERVER" = nginx ]; then
            note "nothing here can restart $SERVER (no init script): it was reloaded, not restarted"
        fi
        signal_server || load_code=1
    fi
    # An init script may end with 0 whatever came of it.
    if ! running; then
        echo "$SERVICE does not run any more"
        : >"$STATE/server-ended"
        load_code=1
    fi
    return "$load_code"
}

# It need not run now.
find_server() {
    :
}
