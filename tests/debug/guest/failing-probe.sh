#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Binds the driver to the device again and again; the n-th allocation on behalf of vrnic.ko fails, for each
# n until none is left to fail. The device has to work afterwards.
. /share/fail.sh vrnic

pci=$(basename "$(readlink "/sys/class/net/$NETDEV/device")")
driver=/sys/bus/pci/drivers/vrnic
echo "$pci" >$driver/unbind
for ((n = 1; n < 5000; n++)); do
	echo $n >/proc/self/fail-nth
	echo "$pci" >$driver/bind 2>/dev/null
	read -r left </proc/self/fail-nth
	echo 0 >/proc/self/fail-nth
	[ -e "$driver/$pci" ] && bound=yes || bound=no
	[ $left != 0 ] && break
	echo "$n: bound: $bound"
	[ $bound = yes ] && echo "$pci" >$driver/unbind
done
[ $bound = yes ] || exit 1
echo "$((n - 1)) allocations failed"
[ $n -gt 20 ] && vrnic-agent load
