/**
 * The only shell that kubeparcel runs around containers. The texts are fixed; whatever differs comes as positional
 * parameters, never as text. Groups of containers are kubeparcel/RUN/NAME in each hierarchy.
 */

/**
 * Runs a command with a cgroup v2 of its own: sh -c ENTER kubeparcel RUN/NAME PARENT... -- COMMAND...
 *
 * Runs in a private mount namespace. PARENTs are groups of v1 hierarchies; the command gets a group below each. What
 * was made stays until SWEEP, since containers outlive the command.
 */
export const ENTER = `set -eu
group=$1; shift
join() {
  path=$1
  for part in kubeparcel "\${group%/*}" "\${group#*/}"; do
    mkdir "$path/$part" 2>/dev/null || [ -d "$path/$part" ]
    # A new cpuset has no processor and no memory, and nothing may enter it then.
    for file in cpuset.cpus cpuset.mems; do
      if [ -e "$path/$part/$file" ] && [ -z "$(cat "$path/$part/$file")" ]; then
        cat "$path/$file" > "$path/$part/$file"
      fi
    done
    path=$path/$part
  done
  echo $$ > "$path/cgroup.procs"
}
while [ "$1" != -- ]; do
  join "$1"
  shift
done
shift
if [ -d /sys/fs/cgroup ] && grep -q ' /sys/fs/cgroup ' /proc/self/mountinfo; then umount -R /sys/fs/cgroup; fi
mount -t cgroup2 none /sys/fs/cgroup
join /sys/fs/cgroup
exec "$@"
`;

/**
 * Removes the groups of a run, or of one container of it: sh -c SWEEP kubeparcel RUN|RUN/NAME
 *
 * Runs in a private mount namespace. Groups in which something still runs stay.
 */
export const SWEEP = `set -u
sweep() {
  find /sys/fs/cgroup -depth -type d \\( -path "*/kubeparcel/$1" -o -path "*/kubeparcel/$1/*" \\) -exec rmdir {} \\;
  # Those above, where this was the last one.
  find /sys/fs/cgroup -depth -type d -path "*/kubeparcel/\${1%%/*}" -exec rmdir {} \\;
  find /sys/fs/cgroup -depth -type d -name kubeparcel -exec rmdir {} \\;
}
sweep "$1" 2>/dev/null
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 none /sys/fs/cgroup && sweep "$1" 2>/dev/null
exit 0
`;

/** Ends what still runs in a container's groups: sh -c END kubeparcel RUN/NAME. Runs in a private mount namespace. */
export const END = `set -u
umount -R /sys/fs/cgroup 2>/dev/null
mount -t cgroup2 none /sys/fs/cgroup || exit 0
find /sys/fs/cgroup -type d -path "*/kubeparcel/$1" -exec sh -c 'echo 1 > "$0/cgroup.kill"' {} \\;
exit 0
`;

/** Names the groups there are, as RUN/NAME, one a line: sh -c LIST kubeparcel. Runs in a private mount namespace. */
export const LIST = `set -u
list() { find /sys/fs/cgroup -type d -path '*/kubeparcel/*/*' ! -path '*/kubeparcel/*/*/*' 2>/dev/null; }
{
  list
  umount -R /sys/fs/cgroup 2>/dev/null
  mount -t cgroup2 none /sys/fs/cgroup && list
} | sed 's|.*/kubeparcel/||' | sort -u
`;

/**
 * PID 1 of a container until systemd takes over: sh -c INIT kubeparcel CGROUPS COMMAND...
 *
 * CGROUPS is v2, or v1 for the controllers of a machine that has these in v1. Of the kernel's settings only those of
 * the container's own network can be changed; a kubelet can write the others that it wants, without effect.
 */
export const INIT = `set -eu
cgroups=$1; shift
if [ "$cgroups" = v1 ]; then
  umount -R /sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  # systemd mounts every hierarchy that it misses, even ones that nobody on this machine uses; a mount is not missed.
  for name in unified net_cls,net_prio cpu,cpuacct; do
    mkdir "/sys/fs/cgroup/$name"
    mount -t tmpfs -o ro tmpfs "/sys/fs/cgroup/$name"
  done
  while IFS=: read -r id names _; do
    [ "$id" != 0 ] || continue
    case $names in name=*) options=none,$names name=\${names#name=} ;; *) options=$names name=$names ;; esac
    mkdir -p "/sys/fs/cgroup/$name"
    mount -t cgroup -o "$options" cgroup "/sys/fs/cgroup/$name"
    case $names in
      name=*) ;;
      *,*) for one in $(echo "$names" | tr , ' '); do ln -s "$names" "/sys/fs/cgroup/$one"; done ;;
    esac
  done < /proc/self/cgroup
  while read -r name _; do
    case $name in '#'*) continue ;; esac
    [ ! -e "/sys/fs/cgroup/$name" ] || continue
    mkdir "/sys/fs/cgroup/$name"
    mount -t tmpfs -o ro tmpfs "/sys/fs/cgroup/$name"
  done < /proc/cgroups
else
  mount -o remount,rw /sys/fs/cgroup 2>/dev/null || [ -w /sys/fs/cgroup/cgroup.procs ]
fi
if [ -w /proc/sys/kernel/panic ] && mount --bind /proc/sys /proc/sys 2>/dev/null; then
  mkdir -p /run/kubeparcel
  for name in vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes; do
    [ -e "/proc/sys/$name" ] || continue
    copy=/run/kubeparcel/$(echo "$name" | tr / .)
    cat "/proc/sys/$name" > "$copy"
    mount --bind "$copy" "/proc/sys/$name"
  done
  mount --bind /proc/sys/net /proc/sys/net
  mount -o remount,bind,ro /proc/sys
fi
# The engine has put the names of its own machine there.
printf '127.0.0.1\\tlocalhost\\n127.0.1.1\\t%s\\n::1\\tlocalhost ip6-localhost\\n' "$(uname -n)" > /etc/hosts
# As on a machine; the kubelet wants it so.
mount --make-rshared / 2>/dev/null || :
exec "$@"
`;
