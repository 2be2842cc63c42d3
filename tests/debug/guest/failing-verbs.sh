#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A program that uses verbs; the n-th allocation on behalf of vrnic_ib.ko fails.
. /share/fail.sh vrnic_ib

failures=0
for ((n = 1; n <= 30; n++)); do
	vrnic-check -d "$DEV" --server >/tmp/server-said 2>&1 &
	until grep -q ' 0A ' /proc/net/tcp; do
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
