# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced, with a module's name: tasks that write n to their /proc/self/fail-nth have their n-th
# allocation fail of those on behalf of the module.
module_of_faults=$1
start=$(cat "/sys/module/$module_of_faults/sections/.text")
size=$(cat "/sys/module/$module_of_faults/coresize")
for injector in failslab fail_page_alloc; do
	cd /sys/kernel/debug/$injector || exit 1
	echo N >ignore-gfp-wait
	echo 0 >verbose
	echo 32 >stacktrace-depth
	echo "$start" >require-start
	printf '0x%x' $((start + size)) >require-end
	[ -e min-order ] && echo 0 >min-order
	[ -e ignore-gfp-highmem ] && echo N >ignore-gfp-highmem
done
cd / || exit 1
