# take_drill: whether this run is the fire drill that `certtui drill` waits for. Its marker, an id
# and when it ends (in seconds since 1970), is good for one run and five minutes. Only the service
# of the timer cannot be told the id; whoever else is not asked for the drill renews as ever.
take_drill() {
    [ -r "$STATE/drill" ] || return 1
    { IFS= read -r drill_id && IFS= read -r drill_until; } <"$STATE/drill" || return 1
    case $drill_id in
        ????????????????) ;;
        *) return 1 ;;
    esac
    case $drill_id in
        *[!0-9a-f]*) return 1 ;;
    esac
    case $drill_until in
        '' | 0* | *[!0-9]* | ????????????*) return 1 ;;
    esac
    [ "$drill_until" -gt "$STARTED" ] && [ "$drill_until" -le $((STARTED + 300)) ] || return 1
    if [ -n "$DRILL" ]; then
        [ "$DRILL" = "$drill_id" ] || return 1
    else
        [ "$TRIGGER" = systemd-timer ] && [ -n "$DRILL_BY_UNIT" ] || return 1
    fi
    # Of two that read it one can take it. What cannot be taken away would drill again.
    rm "$STATE/drill"
}

# fire_drill: the mail of a failure, without one. No certbot, no heartbeat; neither what waits to be
# loaded nor what is known of mails sent is touched.
fire_drill() {
    HOST=$(host_name)
    DETAIL='no mail is planned' CODE=0
    if [ -n "$MAIL_TO" ]; then
        # What a Message-ID is made of: see RFC 5322, 3.6.4.
        drill_host=$(printf '%s' "$HOST" | tr -cd 'A-Za-z0-9.-')
        if send_mail "[certtui] $HOST: fire drill: nothing failed (drill $drill_id)" \
            "Host:       $HOST
Result:     nothing failed: this is the fire drill that \`certtui drill\` started there
Started by: $TRIGGER
Drill:      $drill_id

The mail about a renewal that failed comes the same way." \
            "certtui-drill-$drill_id@$drill_host"; then
            DETAIL='mail accepted'
        else
            DETAIL=$MAIL_PROBLEM CODE=1
        fi
    fi
    trap '' HUP INT TERM
    [ -z "$ENDED" ] || DETAIL='ended by a signal' CODE=1
    record drill $(($(date +%s) - STARTED)) "$drill_id $DETAIL"
    say "certbot-renew-everything: fire drill $drill_id: $DETAIL"
    exit "$CODE"
}
