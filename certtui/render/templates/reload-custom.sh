# ---- a server of the administrator's own ------------------------------------------------------

load_certificates() {
    custom_command
}
