/**
 * Shell scripts around containers. The texts are fixed: values are passed as positional parameters only. The cgroup of a
 * container is kubeparcel/RUN/NAME in each hierarchy.
 */

/**
 * Runs a command with its own cgroup v2: sh -c ENTER kubeparcel RUN/NAME PARENT... -- COMMAND...
 *
 * Runs in a private mount namespace. PARENTs are groups of v1 hierarchies; the command gets a group below each. The
 * groups remain until REMOVE_GROUPS, since containers outlive the command.
 */
export const ENTER = `set -eu
group=$1; shift
join() {
  path=$1
  for part in kubeparcel "\${group%/*}" "\${group#*/}"; do
    mkdir "$path/$part" 2>/dev/null || [ -d "$path/$part" ]
    # A new cpuset has no CPUs and no memory nodes; processes cannot enter it until it has.
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
 * PID 1 of a container until it executes systemd: sh -c INIT kubeparcel CGROUPS COMMAND...
 *
 * CGROUPS is v2, or v1 to get the controllers of a machine that has them in v1. Kernel settings are read-only except
 * those of the container's own network. The settings that a kubelet writes are copies without effect.
 */
export const INIT = `set -eu
cgroups=$1; shift
if [ "$cgroups" = v1 ]; then
  umount -R /sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
  # systemd mounts every missing hierarchy, even unused ones; an empty mount prevents that.
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
# The engine copied the names of its own machine.
printf '127.0.0.1\\tlocalhost\\n127.0.1.1\\t%s\\n::1\\tlocalhost ip6-localhost\\n' "$(uname -n)" > /etc/hosts
# The kubelet requires shared mount propagation, as on a machine.
mount --make-rshared / 2>/dev/null || :
exec "$@"
`;
