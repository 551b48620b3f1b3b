#!/bin/sh
# certbot-renew-everything: renews every certificate that is due, and says so when it cannot.
#
# certtui wrote this file from /etc/certtui/plan.toml. To change what it does, change that plan and
# run `certtui apply`; it goes on working without certtui.
#
# The scheduler starts it, and anyone may start it by hand. It needs certbot and nothing else; what
# else it finds (timeout, logger, sendmail or mail, curl or wget) it uses.
#
# Exit status: 0 done; 75 another certbot held the lock all the time; 124 ended for taking too
# long; 128 + N ended by signal N; else certbot's own, or 1.

# Exported by the caller, these would go below with what they are set to here.
unset TRIGGER DRILL
case ${CERTTUI_TRIGGER-} in
    cron | systemd-timer | at) TRIGGER=$CERTTUI_TRIGGER ;;
    *) TRIGGER=manual ;;
esac
# The fire drill that cron or at was told to start this for; it never renews then. What else has the
# name in its environment, or something that is no id there, renews as ever.
case $TRIGGER in
    cron | at) DRILL=${CERTTUI_DRILL-} ;;
    *) DRILL='' ;;
esac
case $DRILL in
    *[!0-9a-f]*) DRILL='' ;;
    ????????????????) ;;
    *) DRILL='' ;;
esac

# Nothing that the caller had set reaches certbot, its hooks and the mailer. It goes before the
# plan's values come, as the caller may export a name that one of them has. Builtins alone: there is
# no PATH yet. A value of several lines can at most name more that is to go.
exported() {
    export -p | while IFS= read -r exported_line; do
        case $exported_line in
            'export '*) printf '%s\n' "${exported_line#export }" ;;
        esac
    done
}
for caller_name in $(exported); do
    caller_name=${caller_name%%=*}
    case $caller_name in
        '' | PATH | LC_ALL | TERM | [0-9]* | *[!A-Za-z0-9_]*) ;;
        # "command": a name that may not be unset (bash has some) must not end the shell.
        *) command unset "$caller_name" 2>/dev/null || : ;;
    esac
done

# @values

# @include common.sh

# @include mail.sh

# ---- the run ----------------------------------------------------------------------------------

# @include drill.sh

# The surroundings of certbot, its hooks and the mailer.
set_environment() {
    # systemd sets none of these for root's services; plugins look for their files below HOME.
    HOME=/root LOGNAME=root USER=root
    export HOME LOGNAME USER
    # Tells the post hook that this script reports its failure.
    CERTTUI_RUN=1
    export CERTTUI_RUN
    plan_environment
}

# say SENTENCE: one line for whoever looks. cron and at would mail any output, so they get none.
say() {
    case $TRIGGER in
        manual) printf '%s\n' "$1" && note "$1" ;;
        systemd-timer) printf '%s\n' "$1" ;; # the journal takes it
        *) note "$1" ;;
    esac
}

# record RESULT SECONDS DETAIL: one line in runs.log, whose last 1,000 are kept.
record() {
    (
        umask 077
        runs=$STATE/runs.log
        # A full disk may have left half a line, to which ours must not be added.
        [ -z "$(tail -c 1 "$runs" 2>/dev/null)" ] || echo >>"$runs"
        record_detail=$(printf '%s' "$3" | tr -c ' -~' ' ' | cut -c 1-400)
        printf '%s %s %s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$TRIGGER" "$1" "$2" \
            "$record_detail" >>"$runs" || exit 0
        if [ "$(wc -l <"$runs")" -gt 1000 ]; then
            tail -n 1000 "$runs" >"$runs.new" && mv -f "$runs.new" "$runs"
        fi
    ) 2>/dev/null
}

# cron and at fire at second 0, everywhere at once: spread over the minute.
spread() {
    case $TRIGGER in
        cron | at) ;;
        *) return 0 ;;
    esac
    spread_number=$(od -An -N2 -tu2 /dev/urandom 2>/dev/null | tr -cd 0-9)
    spread_number=${spread_number:-$$}
    sleep $((spread_number % 60))
}

find_certbot() {
    [ ! -x "$CERTBOT" ] || return 0
    # A package that moved certbot must not end the renewals.
    if [ -z "$CERTBOT_FIXED" ] && CERTBOT=$(command -v certbot); then
        return 0
    fi
    return 1
}

# log_mark, new_log: certbot's log counts from where it ended before our run. Debian appends to
# it (max-log-backups = 0 in cli.ini); elsewhere each run begins a new file. Its first line, a time
# in milliseconds, tells one file from another.
log_mark() {
    LOG_HEAD=$(log_head)
    LOG_END=0
    [ -z "$LOG_HEAD" ] || LOG_END=$(wc -c <"$LOG_FILE")
}
log_head() {
    head -n 1 "$LOG_FILE" 2>/dev/null | cut -c 1-200
}
new_log() {
    if [ "$(log_head)" = "$LOG_HEAD" ]; then
        tail -c "+$((LOG_END + 1))" "$LOG_FILE"
    else
        cat "$LOG_FILE"
    fi 2>/dev/null
}

# run_certbot ARGUMENT...: sets OUTPUT (its end, at most 64 KiB) and CODE. The status travels as
# the last line, so that no temporary file is needed.
run_certbot() {
    run_began=$(date +%s)
    OUTPUT=$(
        # A signal ends certbot alone: what waits for it here goes on until it is gone.
        trap : HUP INT TERM
        {
            trap : HUP INT TERM
            limit "$TIMEOUT" "$CERTBOT" -q renew --no-random-sleep-on-renew -n "$@"
            echo "
$?"
        } 2>&1 </dev/null | (
            trap '' HUP INT TERM
            tr -d '\000' | tail -c 65536
        )
    )
    CODE=${OUTPUT##*
}
    OUTPUT=${OUTPUT%
*}
    OUTPUT=${OUTPUT%
}
    # Without a number in the last line something ended that pipe: not a success.
    case $CODE in
        '' | *[!0-9]*) CODE=1 ;;
    esac
    run_seconds=$(($(date +%s) - run_began))
    LATE=''
    case $CODE in
        124 | 137 | 143) [ "$run_seconds" -lt "$TIMEOUT" ] || LATE=1 ;;
    esac
}

locked() {
    [ "$CODE" -ne 0 ] || return 1
    case $OUTPUT in
        *'Another instance of Certbot is already running'*) return 0 ;;
    esac
    return 1
}

# Names of the certificates that certbot (1.x to 5.x) says it could not renew, one a line.
failing_lineages() {
    printf '%s\n' "$OUTPUT" | sed -n \
        -e 's/.*Failed to renew certificate \([^ ]*\) with error.*/\1/p' \
        -e 's/.*Attempting to renew cert (\([^ )]*\)) from .* produced an unexpected error.*/\1/p' \
        -e 's/.*Renewal configuration file \([^ ]*\)\.conf .*/\1/p' \
        -e 's|^ *\(/[^ ]*\)/fullchain\.pem (failure).*|\1|p'
}

# What went wrong, in certbot's words and the CA's. With -q certbot tells the CA's only to its log.
reasons() {
    printf '%s\n' "$OUTPUT" | sed -n \
        -e 's/.*Failed to renew certificate \([^ ]*\) with error: /  \1: /p' \
        -e 's/.*\(Renewal configuration file .*\)/  \1/p' \
        -e 's/^The error was: /  /p'
    { printf '%s\n' "$OUTPUT" && new_log; } |
        sed -n -e 's/^ *\(Domain: .*\)/  \1/p' -e 's/^ *\(Identifier: .*\)/  \1/p' \
            -e 's/^ *\(Type: .*\)/  \1/p' -e 's/^ *\(Detail: .*\)/  \1/p' | head -n 60
}

# The most seconds that a run may take longer for its heartbeat, tries and all.
BEAT=7

# heartbeat SUFFIX: the address goes by standard input, as any user sees a command line. A server
# that hangs has one try and all of that time; what fails at once is tried again.
heartbeat() {
    [ -n "$HEARTBEAT_URL" ] || return 0
    heartbeat_path=${HEARTBEAT_URL%%[?#]*}
    heartbeat_url=$heartbeat_path$1${HEARTBEAT_URL#"$heartbeat_path"}
    if command -v curl >/dev/null 2>&1; then
        printf 'url = "%s"\n' "$heartbeat_url" |
            limit "$BEAT" curl -q -fsS -m "$BEAT" --retry 2 --retry-delay 1 \
                --retry-max-time 4 -o /dev/null -K -
    elif limit 5 wget --version 2>/dev/null | grep -q '^GNU Wget 1'; then
        printf '%s\n' "$heartbeat_url" |
            limit "$BEAT" wget -q -T "$BEAT" -t 1 -O /dev/null -i -
    elif command -v python3 >/dev/null 2>&1; then
        # busybox's wget takes an address as an argument only, and wget2 hung when it was tried
        # (1.99.1). Where certbot is, Python mostly is.
        printf '%s\n' "$heartbeat_url" | limit "$BEAT" python3 -I -c \
            "import sys, urllib.request as u; u.urlopen(sys.stdin.readline().strip(), timeout=$BEAT)"
    else
        false
    fi >/dev/null 2>&1 ||
        note 'the heartbeat could not be sent (it needs curl, wget or python3, and an answer in time)'
}

# deploy_pending: what an earlier hook could not make the server load. DEPLOY says why it failed.
deploy_pending() {
    DEPLOY=''
    if [ -z "$POST_HOOK" ]; then
        rm -f "$STATE/pending-deploy"
        return 0
    fi
    [ -n "$(pending)" ] || [ -s "$STATE/pending-deploy.done" ] || return 0
    DEPLOY=$("$POST_HOOK" 2>&1 </dev/null) || :
    [ -n "$(pending)" ] || return 0
    DEPLOY="renewed but not loaded: $(names "$(pending)")
${DEPLOY:-$POST_HOOK failed and said nothing}"
    return 1
}

# judge: RESULT, CODE and DETAIL from what certbot, the lock and the hook said.
judge() {
    if [ -n "$LATE" ]; then
        RESULT=timeout CODE=124 DETAIL="certbot was ended after $TIMEOUT s"
    elif [ -n "$HELD" ]; then
        RESULT=locked CODE=75 DETAIL='another certbot holds the lock'
        LOCKED=${LOCKED:-$STARTED}
        [ "$LOCKED" -le "$STARTED" ] || LOCKED=$STARTED
        if [ $((STARTED - LOCKED)) -gt 86400 ]; then
            RESULT=failed CODE=1
            DETAIL="another certbot has held the lock for $(((STARTED - LOCKED) / 3600)) hours"
        fi
    elif [ "$CODE" -ne 0 ]; then
        FAILED=$(names "$(failing_lineages)")
        RESULT=failed DETAIL="renewal failed${FAILED:+: $FAILED}"
        # 75 is ours, and units take it for a success.
        [ "$CODE" -ne 75 ] || CODE=1
    else
        RESULT=ok DETAIL=''
    fi
    [ -n "$HELD" ] || LOCKED=''
    if [ -n "$DEPLOY" ]; then
        case $RESULT in
            ok | locked)
                FAILED=$(names "$(pending)")
                RESULT=deploy-failed CODE=1 DETAIL=${DEPLOY%%
*}
                ;;
        esac
    fi
}

# The body of the one mail about a failure.
failure_text() {
    printf '%s\n' "Host:         $HOST" "Result:       $DETAIL (exit status $CODE)" \
        "Certificates: ${FAILED:-not named by certbot}" "Started by:   $TRIGGER"
    [ -z "$FAILING" ] || printf '%s\n' "Failing for:  $(((STARTED - FAILING) / 3600)) hours"
    printf '\nReason:\n'
    if [ "$RESULT" = deploy-failed ]; then
        printf '%s\n' "$DEPLOY"
    else
        reasons
        [ -z "$DEPLOY" ] || printf '\n%s\n' "$DEPLOY"
        printf '\nWhat certbot said last:\n'
        printf '%s\n' "$OUTPUT" | tail -n 20
        printf '\nThe end of %s:\n' "$LOG_FILE"
        new_log | tail -n 20
    fi
    printf '\n%s\n' "What to do:
  certtui dry-run   tries again, live, and changes nothing
  certtui doctor    looks for what else is wrong, with the commands that mend it
  less $LOG_FILE"
}

# tell_success SUBJECT BODY RECOVERY-SUBJECT RECOVERY-BODY
tell_success() {
    if [ -n "$MAIL_TO" ]; then
        if [ "$MAIL_ON" = always ]; then
            send_mail "$1" "$2" || return 0
        elif [ "$MAIL_ON" = failure ] && [ -n "$MAILED" ]; then
            # A recovery that could not be told is told by the next run.
            send_mail "$3" "$4" || return 0
        fi
    fi
    FAILING='' MAILED=''
    write_mail_state
}

tell() {
    HOST=$(host_name)
    case $RESULT in
        locked) write_mail_state ;;
        ok)
            tell_success "[certtui] $HOST: renewal run ended well" \
                "Host:       $HOST
Result:     every certificate that was due is renewed
Started by: $TRIGGER" \
                "[certtui] $HOST: renewal works again" \
                "Host:       $HOST
Result:     certbot ended well; the failure mailed before is over
Started by: $TRIGGER"
            ;;
        *) tell_failure "[certtui] $HOST: $DETAIL" "$(failure_text)" ;;
    esac
}

# body ARGUMENT...: everything from the random wait on; runs below the waiting shell.
body() {
    ENDED=''
    # A shell takes a signal when its foreground command ends; end_all ends that one, too.
    trap 'ENDED=1' HUP INT TERM
    STARTED=$(date +%s)
    make_state_folder
    if take_drill; then
        fire_drill
    elif [ -n "$DRILL" ]; then
        note 'no fire drill of that id waits here: nothing was done'
        exit 0
    fi
    read_mail_state
    spread
    OUTPUT='' CODE=1 LATE='' HELD='' FAILED='' MAIL_PROBLEM='' DEPLOY=''
    log_mark
    tries=0
    while [ -z "$ENDED" ]; do
        if ! find_certbot; then
            OUTPUT='certbot was not found' CODE=127
            break
        fi
        run_certbot "$@"
        HELD=''
        locked || break
        HELD=1
        tries=$((tries + 1))
        [ "$tries" -lt "$LOCK_TRIES" ] || break
        sleep "$LOCK_WAIT"
    done
    [ -n "$ENDED" ] || deploy_pending
    # What is left takes a moment: the log's line must not be lost to a signal. A command inherits
    # what its parent ignores.
    if [ -n "$ENDED" ]; then
        trap '' HUP INT TERM
        record failed $(($(date +%s) - STARTED)) 'ended by a signal'
        say 'certbot-renew-everything: ended by a signal; the next run tries again'
        exit 1
    fi
    judge
    tell
    DETAIL="$DETAIL${MAIL_PROBLEM:+${DETAIL:+; }$MAIL_PROBLEM}"
    trap '' HUP INT TERM
    record "$RESULT" $(($(date +%s) - STARTED)) "$DETAIL"
    say "certbot-renew-everything: $RESULT${DETAIL:+: $DETAIL}"
    if [ "$TRIGGER" = manual ] && [ "$RESULT" != ok ] && [ -n "$OUTPUT" ]; then
        printf '%s\n' "$OUTPUT"
    fi
    trap 'ENDED=1' HUP INT TERM
    case $RESULT in
        ok) heartbeat '' ;;
        locked) ;;
        *) heartbeat /fail ;;
    esac
    exit "$CODE"
}

# ---- signals ----------------------------------------------------------------------------------

# below PID: every process below it.
below() {
    cat /proc/[0-9]*/stat 2>/dev/null | awk -v top="$1" '
        {
            pid = $1
            if (pid !~ /^[0-9]+$/ || !sub(/^.*\) [A-Za-z] /, "")) next
            parent[pid] = $1
        }
        END {
            for (pid in parent) {
                above = parent[pid]
                for (deep = 0; deep < 64 && above > 1 && above != top; deep++) above = parent[above]
                if (above == top) print pid
            }
        }'
}

# end_all: TERM to everything below us that has not had it yet. certbot must not outlive us, or the
# next run would meet its lock. TERM and not INT, to which a command in the background is deaf
# (POSIX, 2.11); once each, as certbot is then putting its changes back.
end_all() {
    for end_pid in "$child" $(below "$child"); do
        case "$ENDING " in
            *" $end_pid "*) continue ;;
        esac
        ENDING="$ENDING $end_pid"
        kill -TERM "$end_pid" 2>/dev/null
    done
}

set_environment
STOPPED='' ENDING='' child=''
# This shell only waits, so that a signal is answered at once and not when certbot ends. Nothing is
# said on stderr: dash would say "Terminated" there of what end_all ends.
body "$@" </dev/null 2>/dev/null &
child=$!
trap 'STOPPED=1' HUP
trap 'STOPPED=2' INT
trap 'STOPPED=15' TERM
while kill -0 "$child" 2>/dev/null; do
    if [ -n "$STOPPED" ]; then
        end_all
        sleep 1 2>/dev/null
    else
        wait "$child"
        status=$?
    fi
done
[ -z "$STOPPED" ] || exit $((128 + STOPPED))
exit "$status"
