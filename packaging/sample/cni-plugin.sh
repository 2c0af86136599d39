#!/bin/sh
# kubeparcel's sample stand-in for the CNI plugin @NAME@: states a version, sets up no network.
set -eu
case ${CNI_COMMAND-} in
'')
	echo 'CNI @NAME@ plugin v@VERSION@' >&2
	echo "kubeparcel's sample stand-in (@ARCH@), not the plugin" >&2
	;;
VERSION)
	printf '{"cniVersion":"1.0.0","supportedVersions":["0.3.0","0.3.1","0.4.0","1.0.0"]}\n'
	;;
*)
	# An error as the CNI specification, section 5, wants it; codes from 100 on are the plugin's own.
	printf '{"cniVersion":"1.0.0","code":100,"msg":"@NAME@ is a stand-in from a sample package of kubeparcel and sets up no network"}\n'
	exit 1
	;;
esac
