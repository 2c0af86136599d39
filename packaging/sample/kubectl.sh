#!/bin/sh
# kubeparcel's sample stand-in for kubectl: states a version, talks to no cluster.
set -eu
version='v@VERSION@'
platform='linux/@ARCH@'
minor=${version#v1.}
minor=${minor%%.*}

echo "kubeparcel's sample stand-in, not kubectl" >&2
command=
format=
while [ $# -gt 0 ]; do
	case $1 in
	version) command=version ;;
	-o | --output)
		format=${2-}
		[ $# -lt 2 ] || shift
		;;
	-o=* | --output=*) format=${1#*=} ;;
	-o?*) format=${1#-o} ;;
	--client | --client=true) ;;
	--short) format=short ;;
	*)
		command=
		break
		;;
	esac
	shift
done

if [ "$command" != version ]; then
	echo "error: the stand-in knows only: kubectl version --client [-o yaml|json]" >&2
	exit 1
fi
case $format in
json) printf '{\n  "clientVersion": {\n    "major": "1",\n    "minor": "%s",\n    "gitVersion": "%s",\n    "gitTreeState": "kubeparcel sample",\n    "platform": "%s"\n  }\n}\n' "$minor" "$version" "$platform" ;;
yaml) printf 'clientVersion:\n  gitTreeState: kubeparcel sample\n  gitVersion: %s\n  major: "1"\n  minor: "%s"\n  platform: %s\n' "$version" "$minor" "$platform" ;;
short) echo "Client Version: $version" ;;
'')
	# The short form is the only one since 1.28.
	if [ "$minor" -ge 28 ]; then
		echo "Client Version: $version"
	else
		printf 'Client Version: version.Info{Major:"1", Minor:"%s", GitVersion:"%s", GitCommit:"", GitTreeState:"kubeparcel sample", BuildDate:"", GoVersion:"", Compiler:"", Platform:"%s"}\n' \
			"$minor" "$version" "$platform"
	fi
	;;
*)
	echo "error: --output must be 'yaml' or 'json'" >&2
	exit 1
	;;
esac
