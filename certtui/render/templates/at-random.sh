#!/bin/sh
# certbot-at-random: a run in each part of the day at another minute, by a chain of at jobs.
#
# certtui wrote this file from /etc/certtui/plan.toml. To change what it does, change that plan and
# run `certtui apply`; it goes on working without certtui.
#
# The UTC day has RUNS equal parts and each of them one slot: a minute that follows from KEY and the
# number of the part alone. The at job, an anchor once an hour and the start of the host all run
# this script. Whoever comes first after the minute takes the slot; each queues the next job if it
# is not there. So a job that is lost, or an atd that does not run, costs an hour at most.
#
#   certbot-at-random         takes the slot that is due, if one is, and renews
#   certbot-at-random queue   only queues
#
# Exit status: 0 well; 1 the next job could not be queued; else what the renewal ended with.

# @values

# @include common.sh

# ---- which minutes ----------------------------------------------------------------------------

# Slots are counted in UTC.
clock_offset() {
    echo 0
}

# slot_time NUMBER: prints the minute of a slot. Half of a part's length is drawn from,
# so that the longest time between two runs is one part and a half.
slot_time() {
    slot_drawn=$(draw "$1") || return 1
    echo $((OFFSET + $1 * 1440 / RUNS + slot_drawn % (720 / RUNS)))
}

# The chain: the next job is always there.
may_queue() {
    :
}

# when_utc MINUTE: prints the moment at which the clock of the slots shows it.
when_utc() {
    echo "$1"
}

# count_lost: prints how many runs a day of which nothing is known has had: one for each slot of it
# that is over. So the cap holds also if the state is lost more than once.
count_lost() {
    echo $((NUMBER + 1 - ((HERE / 1440 * 1440 - OFFSET) * RUNS + 1439) / 1440))
}

# count_run: fails when this day (UTC) has had its runs, whatever went wrong.
count_run() {
    count_day=$((HERE / 1440))
    if [ "$DAY" != "$count_day" ]; then
        DAY=$count_day COUNT=0
    fi
    [ "$COUNT" -lt "$DAILY_CAP" ] || return 1
    COUNT=$((COUNT + 1))
}

# @include at.sh
