# ---- what all of certtui's scripts share ------------------------------------------------------

# cron, at and certbot hand down whatever umask they have; hooks expect the usual one.
umask 022
LC_ALL=C
export PATH LC_ALL
cd / || exit 1

# limit SECONDS PROGRAM [ARGUMENT...]: ends a program that hangs, where there is a timeout(1).
# busybox before 1.34 has no -k.
limit() {
    limit_seconds=$1
    shift
    if timeout -k 5 5 true 2>/dev/null; then
        timeout -k 60 "$limit_seconds" "$@"
    elif timeout 5 true 2>/dev/null; then
        timeout "$limit_seconds" "$@"
    else
        "$@"
    fi
}

# note SENTENCE: one line in the system's log, where there is one.
note() {
    limit 10 logger -t certtui -- "$1" >/dev/null 2>&1 || :
}

# The folder of our state: for root alone, as it tells what this host serves.
make_state_folder() {
    [ -d "$STATE" ] || (umask 077 && mkdir -p "$STATE") 2>/dev/null
}

# Prints the lineages that were renewed but that no server was told to load yet.
pending() {
    cat "$STATE/pending-deploy" 2>/dev/null || :
}

# names LIST: a list of lineage paths, one a line, as "a.example, b.example".
names() {
    printf '%s\n' "$1" | sed -e '/^$/d' -e 's|.*/||' | tr -cd 'A-Za-z0-9._*\n-' |
        awk '!seen[$0]++ { line = line (line == "" ? "" : ", ") $0 } END { print line }'
}
