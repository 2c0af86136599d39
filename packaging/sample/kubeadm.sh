#!/bin/sh
# kubeparcel's sample stand-in for kubeadm: states a version, sets up no cluster.
set -eu
version='v@VERSION@'
platform='linux/@ARCH@'
minor=${version#v1.}
minor=${minor%%.*}

notice() {
	echo "kubeparcel's sample stand-in, not kubeadm" >&2
}

print_version() {
	case $1 in
	'')
		printf 'kubeadm version: &version.Info{Major:"1", Minor:"%s", GitVersion:"%s", GitCommit:"", GitTreeState:"kubeparcel sample", BuildDate:"", GoVersion:"", Compiler:"", Platform:"%s"}\n' \
			"$minor" "$version" "$platform"
		;;
	short) echo "$version" ;;
	yaml) printf 'clientVersion:\n  gitVersion: %s\n  gitTreeState: kubeparcel sample\n  major: "1"\n  minor: "%s"\n  platform: %s\n' "$version" "$minor" "$platform" ;;
	json) printf '{\n  "clientVersion": {\n    "major": "1",\n    "minor": "%s",\n    "gitVersion": "%s",\n    "gitTreeState": "kubeparcel sample",\n    "platform": "%s"\n  }\n}\n' "$minor" "$version" "$platform" ;;
	*)
		echo "error: invalid output format: $1" >&2
		exit 1
		;;
	esac
}

case ${1-} in
version)
	notice
	case ${2-} in
	-o | --output) print_version "${3-}" ;;
	-o=* | --output=*) print_version "${2#*=}" ;;
	-o?*) print_version "${2#-o}" ;;
	*) print_version '' ;;
	esac
	;;
*)
	notice
	echo "error: the stand-in knows only: kubeadm version [-o short|yaml|json]" >&2
	exit 1
	;;
esac
