#!/bin/sh
# certtui-deploy: certbot runs this once for each certificate it has renewed (a deploy hook).
#
# certtui wrote this file from /etc/certtui/plan.toml. To change what it does, change that plan and
# run `certtui apply`; it goes on working without certtui.
#
# It only notes the certificate; the post hook then makes the web server load all of them at once.

# @values

# @include common.sh

if [ -z "${RENEWED_LINEAGE-}" ]; then
    echo 'certtui-deploy: RENEWED_LINEAGE is not set: certbot starts this, not a person' >&2
    exit 64
fi
case $RENEWED_LINEAGE in
    *'
'*)
        echo 'certtui-deploy: RENEWED_LINEAGE holds a line break' >&2
        exit 64
        ;;
esac

make_state_folder
if grep -qxF -e "$RENEWED_LINEAGE" "$STATE/pending-deploy" 2>/dev/null; then
    exit 0
fi
# One short append: whole or not at all, whatever else writes here.
if (umask 077 && printf '%s\n' "$RENEWED_LINEAGE" >>"$STATE/pending-deploy") 2>/dev/null; then
    exit 0
fi
# Without a note the post hook would do nothing, and the server would keep the old certificate.
note "$STATE/pending-deploy cannot be written: reloading at once for $RENEWED_LINEAGE"
exec "$POST_HOOK" "$RENEWED_LINEAGE"
