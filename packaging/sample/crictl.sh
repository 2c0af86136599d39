#!/bin/sh
# kubeparcel's sample stand-in for crictl: states a version, talks to no container runtime.
set -eu
echo "kubeparcel's sample stand-in (@ARCH@), not crictl" >&2
case ${1-} in
--version | -v) echo 'crictl version v@VERSION@' ;;
*)
	echo "error: the stand-in knows only: crictl --version" >&2
	exit 1
	;;
esac
