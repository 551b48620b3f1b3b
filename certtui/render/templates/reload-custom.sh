# ---- a server of the administrator's own ------------------------------------------------------

# A daemon that the command leaves behind keeps its streams. Who reads those to their end waits for
# ever, and who ends the pipe ends the daemon as it writes; so they are a file, which stays.
load_certificates() {
    load_output=$STATE/command-output
    if ! (umask 077 && : >"$load_output") 2>/dev/null; then
        load_output=/dev/null
    fi
    custom_command >>"$load_output" 2>&1
    load_code=$?
    tail -c 65536 "$load_output"
    return "$load_code"
}

# Nothing is known of the command but that it exists, which apply has seen to.
find_server() {
    :
}
