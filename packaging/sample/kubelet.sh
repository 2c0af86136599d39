#!/bin/sh
# kubeparcel's sample stand-in for the kubelet: logs its flags and waits for SIGTERM; runs no pods.
set -eu
version='v@VERSION@'

for flag in "$@"; do
	case $flag in
	--version | --version=true)
		echo "kubeparcel's sample stand-in, not the kubelet" >&2
		echo "Kubernetes $version"
		exit 0
		;;
	esac
done

log() {
	echo "kubelet stand-in: $*" >&2
}

log "kubeparcel's sample of $version (@ARCH@), not the kubelet: runs no pods"
for flag in "$@"; do
	log "FLAG: $flag"
done

sleeper=
stop() {
	log "stopping"
	if [ -n "$sleeper" ]; then
		kill "$sleeper" 2>/dev/null || true
	fi
	exit 0
}
trap stop TERM INT

# In the background, because a shell runs traps only after what is in the foreground.
while :; do
	sleep 86400 &
	sleeper=$!
	wait "$sleeper" || true
done
