# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced, with a module's name: a task that writes n to its /proc/self/fail-nth has its n-th allocation fail
# of those that the module asks for, by itself or through a function or two of the kernel's. (Deeper ones
# would show mistakes of the kernel's own, such as iounmap(NULL) in pci_alloc_irq_vectors.)
start=$(cat "/sys/module/$1/sections/.text")
size=$(cat "/sys/module/$1/coresize")
for injector in failslab fail_page_alloc fail_usercopy; do
	cd /sys/kernel/debug/$injector || exit 1
	echo 0 >verbose
	echo 8 >stacktrace-depth
	echo "$start" >require-start
	printf '0x%x' $((start + size)) >require-end
	for setting in ignore-gfp-wait=N ignore-gfp-highmem=N min-order=0; do
		[ -e "${setting%=*}" ] && echo "${setting#*=}" >"${setting%=*}"
	done
done
cd / || exit 1
