#!/bin/sh
# What a container of the image runs: makes the home on its volume at the first start, and becomes the daemon, so that
# signals go to that. INVITE_FILE names a file with an invite (`catalog invite`) that the new home joins with; arguments
# are the daemon's.
set -eu
if [ ! -e "$CATALOG_HOME/FORMAT" ]; then
  if [ -n "${INVITE_FILE:-}" ]; then
    catalog init --join "$(cat "$INVITE_FILE")"
  else
    catalog init
  fi
fi
exec catalog daemon --json "$@"
