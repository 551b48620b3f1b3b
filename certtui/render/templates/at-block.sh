#!/bin/sh
# certbot-at-block: one run in each block of the day, at a minute of its own, by at(1).
#
# certtui wrote this file from /etc/certtui/plan.toml. To change what it does, change that plan and
# run `certtui apply`; it goes on working without certtui.
#
# The day has RUNS equal blocks and each of them one slot: a minute that follows from KEY and the
# number of the block alone. As a block begins, the trigger runs this script, which queues the
# block's job; the job and the start of the host run it, too. A slot whose job was lost is taken by
# whoever comes next, at the latest as the next block begins.
#
#   certbot-at-block         takes the slot that is due, if one is, and renews
#   certbot-at-block queue   only queues
#
# Exit status: 0 well; 1 the block's job could not be queued; else what the renewal ended with.

# @values

# @include common.sh

# ---- which minutes ----------------------------------------------------------------------------

# Minutes that the clock of the blocks is ahead of UTC: cron's blocks begin by the local clock.
clock_offset() {
    if [ "$CLOCK" = utc ]; then
        echo 0
        return 0
    fi
    offset_zone=$(date ${1+-d "@$(($1 * 60))"} +%z) || return 1
    offset_sign=${offset_zone%????} offset_minutes=1${offset_zone#???} offset_hours=${offset_zone#?}
    offset_hours=1${offset_hours%??}
    case $offset_zone in
        [+-][0-9][0-9][0-9][0-9]) ;;
        *) return 1 ;;
    esac
    # The 1 before it: a number that begins with 0 would be octal.
    echo "$offset_sign$(((offset_hours - 100) * 60 + offset_minutes - 100))"
}

# slot_time NUMBER: prints the minute of a slot. Not the block's first, as the job is
# queued in it.
slot_time() {
    slot_drawn=$(draw "$1") || return 1
    slot_start=$((OFFSET + $1 * 1440 / RUNS))
    slot_end=$((OFFSET + ($1 + 1) * 1440 / RUNS))
    echo $((slot_start + 1 + slot_drawn % (slot_end - slot_start - 1)))
}

# may_queue NUMBER: whether its block has begun. The next one's job is queued by its own trigger.
may_queue() {
    [ $((OFFSET + $1 * 1440 / RUNS)) -le "$HERE" ]
}

# when_utc MINUTE: prints the moment at which the clock of the blocks shows it: the first one, if it
# does so twice; late by as much, if the clock leaves it out.
when_utc() {
    when_minute=$(($1 - AHEAD))
    when_ahead=$(clock_offset "$when_minute") || return 1
    if [ "$when_ahead" != "$AHEAD" ]; then
        # The clock changes before.
        when_changed=$(($1 - when_ahead))
        when_then=$(clock_offset "$when_changed") || return 1
        [ "$when_then" != "$when_ahead" ] || when_minute=$when_changed
    fi
    echo "$when_minute"
}

# No cap: there are never more slots than blocks.
count_lost() {
    echo 0
}

count_run() {
    :
}

# @include at.sh
