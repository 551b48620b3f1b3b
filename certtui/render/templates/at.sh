# ---- what both at scripts share ---------------------------------------------------------------

case ${CERTTUI_TRIGGER-} in
    cron | systemd-timer | at) TRIGGER=$CERTTUI_TRIGGER ;;
    *) TRIGGER=manual ;;
esac

# The job of a fire drill: it takes no slot, so that it cannot take one from a renewal.
[ "$TRIGGER" != at ] || [ -z "${CERTTUI_DRILL-}" ] || exec "$RENEW_SCRIPT"

# An at job inherits the zone that it was queued with.
unset TZ

# complain SENTENCE: tells it. cron mails what it reads, so it reads a lasting problem once only.
complain() {
    note "$1"
    if [ "$TRIGGER" != cron ] || [ -z "${PROBLEM-}" ]; then
        printf '%s: %s\n' "${SELF##*/}" "$1" >&2
    fi
}

# draw NUMBER: prints a number of 28 bits that follows from KEY and NUMBER alone.
draw() {
    draw_hash=$(printf '%s:%s' "$KEY" "$1" | sha256sum)
    draw_hash=${draw_hash%"${draw_hash#???????}"}
    case $draw_hash in
        *[!0-9a-f]* | '')
            complain 'sha256sum does not work: no minute can be drawn'
            return 1
            ;;
    esac
    echo $((0x$draw_hash))
}

# whole NUMBER: whether it is a whole number that the shell can count with.
whole() {
    case $1 in
        '' | 0?* | *[!0-9]* | ????????????*) return 1 ;;
    esac
}

# The state: the minute of the last slot taken, the runs counted of a day, and whether a problem
# was told. What cannot be understood counts as missing.
read_state() {
    TAKEN='' DAY='' COUNT='' PROBLEM='' KEPT=''
    [ -r "$STATE/at-state" ] || return 0
    while IFS='=' read -r state_name state_value; do
        whole "$state_value" || continue
        case $state_name in
            slot) TAKEN=$state_value ;;
            day) DAY=$state_value ;;
            runs) COUNT=$state_value ;;
            problem) PROBLEM=$state_value ;;
        esac
    done <"$STATE/at-state"
    # What is left of a file would run a slot again, and not know of the day's other runs.
    [ -n "$DAY" ] && [ -n "$COUNT" ] || TAKEN='' DAY='' COUNT=''
    KEPT="$TAKEN $DAY $COUNT $PROBLEM"
}

# Old or new, never half, whatever ends us here; an anchor that finds all well writes nothing.
write_state() {
    [ "$TAKEN $DAY $COUNT $PROBLEM" != "$KEPT" ] || return 0
    (
        umask 077
        printf 'slot=%s\nday=%s\nruns=%s\nproblem=%s\n' "$TAKEN" "$DAY" "$COUNT" "$PROBLEM" \
            >"$STATE/at-state.new" && mv -f "$STATE/at-state.new" "$STATE/at-state"
    ) 2>/dev/null
}

# look_at_clock: HERE is the minute by the clock of the slots, AHEAD how far it is ahead of UTC.
# NUMBER and PASSED are the last slot whose minute has come, and that minute.
look_at_clock() {
    if ! clock_now=$(date +%s) || ! whole "$clock_now" || ! AHEAD=$(clock_offset); then
        complain 'date does not tell the time'
        exit 1
    fi
    HERE=$((clock_now / 60 + AHEAD))
    NUMBER=$((((HERE - OFFSET + 1) * RUNS - 1) / 1440))
    PASSED=$(slot_time "$NUMBER") || exit 1
    if [ "$PASSED" -gt "$HERE" ]; then
        NUMBER=$((NUMBER - 1))
        PASSED=$(slot_time "$NUMBER") || exit 1
    fi
}

# take_slot: RENEWS is set where a slot is due and was not taken yet. However many were missed, one
# run makes up for them.
take_slot() {
    RENEWS=''
    if [ -z "$TAKEN" ]; then
        # The first time, or the state was lost: only a job knows that its slot is due.
        TAKEN=$PASSED
        [ "$TRIGGER-${CERTTUI_SLOT-}" = "at-$PASSED" ] || return 0
    elif [ "$TAKEN" -gt $((HERE + 180)) ]; then
        # The clock was wrong when it was taken. By up to three hours it was only set back.
        TAKEN=$PASSED
        return 0
    elif [ "$PASSED" -le "$TAKEN" ] || [ "$ACTION" = queue ]; then
        return 0
    fi
    TAKEN=$PASSED
    if count_run; then
        RENEWS=1
    else
        note "no run for this slot: the day has had its $COUNT runs"
    fi
}

# find_next: NUMBER and NEXT are the first slot that is neither taken nor over, and its minute.
find_next() {
    NEXT=$PASSED
    while [ "$NEXT" -le "$HERE" ] || [ "$NEXT" -le "$TAKEN" ]; do
        NUMBER=$((NUMBER + 1))
        NEXT=$(slot_time "$NUMBER") || exit 1
    done
}

# our_jobs: FOUND is the job of the next slot, OTHERS are further jobs of ours. A job is ours by what
# it holds: others' jobs may be in the queue, and one that runs is not listed, or as "=".
our_jobs() {
    FOUND='' OTHERS=''
    jobs_listed=$(atq) || return 1
    while read -r job_number _ _ _ _ _ job_queue job_user; do
        case $job_user/$job_queue in
            root/[!=]) ;;
            *) continue ;;
        esac
        job_text=$(at -c "$job_number" 2>/dev/null) || continue
        case $job_text in
            *"CERTTUI_SLOT="*"
exec $SELF </dev/null"*) ;;
            *) continue ;;
        esac
        job_slot=${job_text#*CERTTUI_SLOT=}
        if [ -z "$FOUND" ] && [ "$job_queue" = "$QUEUE" ] && [ "${job_slot%%;*}" = "$NEXT" ]; then
            FOUND=$job_number
        else
            OTHERS="$OTHERS $job_number"
        fi
    done <<EOF_JOBS
$jobs_listed
EOF_JOBS
}

# queue_next: one job of ours, that of the next slot. at stores its whole environment in the job,
# takes a time in the zone it is given, and says what it queued on stderr.
queue_next() {
    find_next
    if ! our_jobs; then
        complain 'atq does not answer: is the package at installed?'
        return 1
    fi
    if [ -z "$FOUND" ] && may_queue "$NUMBER"; then
        queue_said=$(
            queue_when=$(date -u -d "@$(($(when_utc "$NEXT") * 60))" +%Y%m%d%H%M) || exit 1
            printf 'exec %s </dev/null\n' "$SELF" | env -i PATH="$PATH" TZ=UTC0 CERTTUI_TRIGGER=at \
                CERTTUI_SLOT="$NEXT" at -M -q "$QUEUE" -t "$queue_when" 2>&1
        ) && queue_code=0 || queue_code=1
        case "$queue_code
$queue_said" in
            0*"
job "[0-9]*) ;;
            *)
                complain "at did not take the next job: $(printf '%s' "$queue_said" | tr '\n' ' ')"
                return 1
                ;;
        esac
    fi
    for queue_other in $OTHERS; do
        atrm "$queue_other"
    done
}

ACTION=${1-}
case $ACTION in
    '' | queue) ;;
    *)
        printf 'usage: %s [queue]\n' "$SELF" >&2
        exit 64
        ;;
esac
make_state_folder
if ! (umask 077 && : >>"$STATE/at-lock") 2>/dev/null; then
    complain "$STATE/at-lock cannot be written"
    exit 1
fi
exec 9>>"$STATE/at-lock"
if ! flock -n 9 2>/dev/null && ! limit 60 flock 9; then
    complain 'the lock cannot be had (it needs flock, of util-linux)'
    exit 1
fi
# It may have been taken away meanwhile: then nothing of it must stay behind.
[ -e "$SELF" ] || exit 0

read_state
look_at_clock
if [ -z "$DAY" ]; then
    DAY=$((HERE / 1440)) COUNT=$(count_lost)
fi
take_slot
if ! write_state; then
    complain "$STATE/at-state cannot be written"
    # What cannot be noted is left to its job, which is there once only; the rest might repeat it.
    [ "$TRIGGER" = at ] || exit 1
fi
status=0
if queue_next; then
    told=''
else
    told=1 status=1
fi
if [ "$PROBLEM" != "$told" ]; then
    PROBLEM=$told
    write_state
fi
exec 9>&-

[ -n "$RENEWS" ] || exit "$status"
exec "$RENEW_SCRIPT"
