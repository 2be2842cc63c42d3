#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A program that uses verbs; the n-th allocation on behalf of vrnic_ib.ko fails.
. /share/fail.sh vrnic_ib

failures=0
for ((n = 1; n < 300; n += n < 30 ? 1 : n / 8)); do  # most are of registering memory
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
# The kernel's own leak, known: where a driver's alloc_ucontext fails, the core keeps its reference to the
# task (GET_CONTEXT in uverbs_std_types_device.c frees the context without rdma_restrack_put). Tasks and
# their credentials are forgotten, anything else fails.
report=/sys/kernel/debug/kmemleak
echo scan >$report && sleep 6 && echo scan >$report || exit 1
awk -v RS='unreferenced object' 'NR > 1 && !/copy_process|prepare_exec_creds/ { print; other = 1 } END { exit other }' $report ||
	exit 1
echo clear >$report
echo "$failures times without success"
[ $failures -gt 5 ]
