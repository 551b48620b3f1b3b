# ---- a server of the administrator's own ------------------------------------------------------

load_certificates() {
    custom_command
}

# Nothing is known of the command but that it exists, which apply has seen to.
find_server() {
    :
}
