# ---- who is told, and when --------------------------------------------------------------------

# The least seconds between two mails about one lasting failure. A day less 90 minutes: a run may
# be up to an hour early against the day before, and certbot may have failed faster.
DAY=81000

# Times in seconds since 1970, empty for never: the first failure in a row, the last mail about it,
# the first run in a row that met another certbot's lock.
FAILING='' MAILED='' LOCKED=''

read_mail_state() {
    FAILING='' MAILED='' LOCKED=''
    [ -r "$STATE/mail-state" ] || return 0
    while IFS='=' read -r state_name state_value; do
        case $state_value in
            '' | 0* | *[!0-9]* | ????????????*) continue ;;
        esac
        case $state_name in
            failing) FAILING=$state_value ;;
            mailed) MAILED=$state_value ;;
            locked) LOCKED=$state_value ;;
        esac
    done <"$STATE/mail-state"
}

# Old or new, never half: whatever ends us here.
write_mail_state() {
    if [ -z "$FAILING$MAILED$LOCKED" ]; then
        rm -f "$STATE/mail-state"
        return 0
    fi
    (
        umask 077
        printf 'failing=%s\nmailed=%s\nlocked=%s\n' "$FAILING" "$MAILED" "$LOCKED" \
            >"$STATE/mail-state.new" && mv -f "$STATE/mail-state.new" "$STATE/mail-state"
    ) 2>/dev/null
}

host_name() {
    limit 5 hostname -f 2>/dev/null || uname -n
}

# clean TEXT: what may stand in a mail's body: no control characters, no line over 900 bytes
# (RFC 5321, 4.5.3.1.6 allows 998).
clean() {
    printf '%s\n' "$1" | tr -d '\000-\010\013-\037\177' | cut -c 1-900
}

# send_mail SUBJECT BODY [ID]: fails with a sentence in MAIL_PROBLEM when no mailer took it. By the
# Message-ID it can be found again; without one the mailer makes its own.
send_mail() {
    mail_id=${3-}
    # Printable ASCII alone, so that no output can become a header.
    mail_subject=$(printf '%s' "$1" | tr -cd ' -~' | cut -c 1-200)
    if hand_over "$2"; then
        MAIL_PROBLEM=''
        note_mail sent "$mail_subject"
        return 0
    fi
    MAIL_PROBLEM="mail not sent: $(printf '%s' "$MAIL_PROBLEM" | tr '\n' ' ' | cut -c 1-200)"
    # Whoever ended us has ended the mailer as well, which says nothing of it.
    [ -n "${ENDED-}" ] || note_mail failed "$MAIL_PROBLEM"
    note "$MAIL_PROBLEM"
    return 1
}

# note_mail sent|failed TEXT: what became of the last mail, for `certtui status`.
note_mail() {
    (
        umask 077
        printf '%s %s %s\n' "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$1" \
            "$(printf '%s' "$2" | tr -cd ' -~')" >"$STATE/last-mail.new" &&
            mv -f "$STATE/last-mail.new" "$STATE/last-mail"
    ) 2>/dev/null
}

# hand_over BODY: to the first mailer there is, with mail_subject. What it says goes into a file: a
# process that it leaves behind keeps its streams, and who reads those to their end would wait for it.
hand_over() {
    mail_body=$1
    mail_program=''
    for mail_name in sendmail mail mailx; do
        if command -v "$mail_name" >/dev/null 2>&1; then
            mail_program=$mail_name
            break
        fi
    done
    if [ -z "$mail_program" ]; then
        MAIL_PROBLEM='neither sendmail nor mail was found'
        return 1
    fi
    mail_said=$STATE/mailer-output
    if ! (umask 077 && : >"$mail_said") 2>/dev/null; then
        mail_said=/dev/null
    fi
    set --
    case $mail_program in
        sendmail)
            # The sender is named only when the plan does: some MTAs trust few users with -f.
            [ -z "$MAIL_FROM" ] || set -- -f "$MAIL_FROM"
            # No "--": not every sendmail knows it, and the plan takes no address that begins
            # with "-".
            compose | limit 60 sendmail -oi "$@" "$MAIL_TO" >"$mail_said" 2>&1
            ;;
        *)
            clean "$mail_body" |
                limit 60 "$mail_program" -s "$mail_subject" "$MAIL_TO" >"$mail_said" 2>&1
            ;;
    esac
    mail_code=$?
    MAIL_PROBLEM=''
    if [ "$mail_said" != /dev/null ]; then
        MAIL_PROBLEM=$(tail -c 1000 "$mail_said")
        rm -f "$mail_said"
    fi
    case $mail_code in
        0) return 0 ;;
        124 | 137) mail_words='it gave no answer in 60 s' ;;
        *) mail_words="exit status $mail_code" ;;
    esac
    MAIL_PROBLEM="$mail_program failed: ${MAIL_PROBLEM:-$mail_words}"
    return 1
}

# The whole message for sendmail, from mail_subject and mail_body.
compose() {
    [ -z "$MAIL_FROM" ] || printf 'From: %s\n' "$MAIL_FROM"
    printf 'To: %s\nSubject: %s\n' "$MAIL_TO" "$mail_subject"
    date -u '+Date: %a, %d %b %Y %H:%M:%S +0000'
    [ -z "$mail_id" ] || printf 'Message-ID: <%s>\n' "$mail_id"
    printf '%s\n' 'Auto-Submitted: auto-generated' 'MIME-Version: 1.0' \
        'Content-Type: text/plain; charset=utf-8' 'Content-Transfer-Encoding: 8bit' ''
    clean "$mail_body"
}

# tell_failure SUBJECT BODY: mails as mail.on says. The state goes on only with a mail that left.
tell_failure() {
    told_at=$(date +%s)
    FAILING=${FAILING:-$told_at}
    if [ -n "$MAIL_TO" ]; then
        # A last mail in the future means that the clock was set back.
        if [ "$MAIL_ON" != failure ] || [ -z "$MAILED" ] || [ "$MAILED" -gt "$told_at" ] ||
            [ $((told_at - MAILED)) -ge "$DAY" ]; then
            send_mail "$1" "$2" && MAILED=$told_at
        fi
    fi
    write_mail_state
}
