# certtui wrote this file from /etc/certtui/plan.toml. To change it, change that plan and run
# `certtui apply`. The script mails by itself; MAILTO gets what cron has to say.
SHELL=/bin/sh
PATH=@path@
MAILTO="@mailto@"
CERTTUI_TRIGGER=cron
@lines@
