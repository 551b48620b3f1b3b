#!/bin/sh
# certtui-reload: certbot runs this once at the end of a run that tried to renew (a post hook).
#
# certtui wrote this file from /etc/certtui/plan.toml. To change what it does, change that plan and
# run `certtui apply`; it goes on working without certtui.
#
# If a certificate was renewed, it tests the web server's configuration and makes the server load
# it. What fails stays noted in pending-deploy, and every later run tries again. When nothing is
# pending, as in a dry run, it only looks whether a reload would work.

# @values

# @include common.sh

# @include mail.sh

# @include @reload

# attempt: the test, then the reload; on failure PROBLEM says which and what it printed.
attempt() {
    if ! PROBLEM=$(test_configuration 2>&1 </dev/null); then
        PROBLEM="the configuration test of $SERVER failed:
$PROBLEM"
        return 1
    fi
    if ! PROBLEM=$(load_certificates 2>&1 </dev/null); then
        PROBLEM="$SERVER could not be told to load the certificate:
$PROBLEM"
        return 1
    fi
    rm -f "$STATE/server-ended"
}

# rehearse: as attempt, but nothing is loaded. For a dry run, which runs this hook but no deploy
# hooks: what keeps the server from loading a certificate must not come out at the first renewal.
rehearse() {
    if ! PROBLEM=$(test_configuration 2>&1 </dev/null); then
        PROBLEM="the configuration test of $SERVER failed: $PROBLEM"
        return 1
    fi
    if ! PROBLEM=$(find_server 2>&1 </dev/null); then
        PROBLEM="$SERVER could not be told to load a certificate: $PROBLEM"
        return 1
    fi
}

# clear_pending LIST: takes out exactly the lineages that were deployed. The file is moved away
# first, so that one noted by another certbot meanwhile is found in it and put back.
clear_pending() {
    cleared="$STATE/pending-deploy.done"
    mv -f "$STATE/pending-deploy" "$cleared" 2>/dev/null || return 0
    clear_later=$(while IFS= read -r clear_line; do
        printf '%s\n' "$1" | grep -qxF -e "$clear_line" || printf '%s\n' "$clear_line"
    done <"$cleared")
    if [ -n "$clear_later" ]; then
        (umask 077 && printf '%s\n' "$clear_later" >>"$STATE/pending-deploy") || return 1
    fi
    rm -f "$cleared"
}

# A run that was killed in clear_pending: loading a certificate twice harms nobody.
if [ -s "$STATE/pending-deploy.done" ]; then
    (umask 077 && cat "$STATE/pending-deploy.done" >>"$STATE/pending-deploy") &&
        rm -f "$STATE/pending-deploy.done"
fi

# An argument is a lineage that the deploy hook could not note.
lineages=$(pending)
[ -z "${1-}" ] || lineages=$1
if [ -z "$lineages" ]; then
    rehearse && exit 0
    printf '%s\n' "$PROBLEM" >&2
    exit 1
fi

if attempt; then
    clear_pending "$lineages"
    note "$SERVER loads the renewed certificates: $(names "$lineages")"
    exit 0
fi

note "renewed but not loaded: $(names "$lineages"): $(printf '%s' "$PROBLEM" | tr '\n' ' ')"
printf '%s\n' "$PROBLEM" >&2
# Our own renew script puts this into its one mail; anyone else's certbot exits 0 and is silent
# when a hook fails (certbot #8528).
if [ "${CERTTUI_RUN-}" != 1 ] || [ -n "${1-}" ]; then
    make_state_folder
    read_mail_state
    host=$(host_name)
    tell_failure "[certtui] $host: renewed but not loaded: $(names "$lineages")" \
        "Host:         $host
Certificates: $(names "$lineages")
Result:       renewed, but $SERVER still serves the old certificate

Reason:
$PROBLEM

What to do:
  mend it, then run the hook again: $POST_HOOK
  certtui doctor                    says what else is wrong
Every later run tries again."
fi
exit 1
