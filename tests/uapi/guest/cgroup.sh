# SPDX-License-Identifier: GPL-2.0-or-later
# Descriptors of the driver are charged to the rdma cgroup of who opens them, like any object: one less than they
# need, and the last is refused.
lab=/sys/fs/cgroup/lab
mountpoint -q /sys/fs/cgroup || mount -t cgroup2 none /sys/fs/cgroup
echo +rdma >/sys/fs/cgroup/cgroup.subtree_control && mkdir $lab || exit 1
rm -f /tmp/hold && mkfifo /tmp/hold

in_lab() { # in a shell of its own
	echo $BASHPID >$lab/cgroup.procs
	exec vrnicdv-check "$DEV" --hold <>/tmp/hold
}

in_lab >/tmp/said & # until it is killed: the device stays
for ((tries = 0; tries < 50; tries++)); do
	grep -q busy /tmp/said && break
	sleep 0.2
done
current=$(grep "^$DEV " $lab/rdma.current)
echo "open: $current"
objects=${current##*hca_object=}
kill $!
wait $! 2>/dev/null
echo "closed: $(grep "^$DEV " $lab/rdma.current)"
echo "$DEV hca_object=$((objects - 1))" >$lab/rdma.max
! (in_lab)
