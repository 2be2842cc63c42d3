#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A program that uses verbs; the n-th allocation on behalf of vrnic_ib.ko fails: of opening the device
# (failing-verbs.sh opening), or of all that comes after it.
. /share/fail.sh vrnic_ib

# Apart, because the kernel itself leaks there, where a driver's alloc_ucontext fails: the core keeps its
# reference to the task (GET_CONTEXT in uverbs_std_types_device.c frees the context without
# rdma_restrack_put).
most=30
if [ "$1" != opening ]; then
	most=300
	read -r begin end < <(sort /proc/kallsyms | awk '$3 == "vrnic_alloc_ucontext" { begin = $1; next } begin && $1 != begin { print begin, $1; exit }')
	[ -n "$end" ] || exit 1
	for injector in failslab fail_page_alloc fail_usercopy; do
		echo "0x$begin" >/sys/kernel/debug/$injector/reject-start
		echo "0x$end" >/sys/kernel/debug/$injector/reject-end
	done
fi

failures=0
for ((n = 1; n < most; n += n < 30 ? 1 : n / 8)); do  # most are of registering memory
	vrnic-check -d "$DEV" --server >/tmp/server-said 2>&1 &
	until grep -qs ' 0A ' /proc/net/tcp /proc/net/tcp6; do
		kill -0 $! || { cat /tmp/server-said; exit 1; }
		sleep 0.05
	done
	timeout -s KILL 60 bash -c "echo $n >/proc/self/fail-nth; exec vrnic-check -d $DEV --sizes 1,4097 127.0.0.1" >/tmp/said 2>&1
	status=$?
	[ $status = 137 ] && exit 1
	if [ $status != 0 ]; then
		failures=$((failures + 1))
		echo "$n: $(tail -n 1 /tmp/said)"
		kill %% 2>/dev/null
	else
		echo "$n: well"
	fi
	wait
done
echo "$failures times without success"
[ $failures -gt 5 ]
