# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced, on the host of NVMe over RDMA: its disk in use while a device goes. vm1 is the target.
nvme="sh /share/ulp/guest/nvme.sh"

# disk_connected: $disk. A thousand reads and a thousand writes are done, so a thousand completions of each queue
# pair for I/O: without processors to share there is one for reads and one for writes.
disk_connected() {
	disk=$($nvme connect vm1) || return 1
	dd if="$disk" of=/dev/null bs=4k count=1000 iflag=direct 2>/dev/null || return 1
	dd if=/dev/zero of="$disk" bs=4k count=1000 oflag=direct 2>/dev/null
}

# A process reads the disk until it cannot.
disk_in_use() {
	dmesg -C
	disk_connected || return 1
	set -m # a process group of its own: it may outlive this command
	(while dd if="$disk" of=/dev/null bs=64k iflag=direct; do :; done) >/tmp/read 2>&1 &
	echo $! >/tmp/reader
}

# The reader had an error, and the disk is gone.
disk_gone() {
	local tries
	for ((tries = 0; tries < 150; tries++)); do
		kill -0 "$(cat /tmp/reader)" 2>/dev/null || break
		sleep 0.2
	done
	grep dd: /tmp/read | tail -1
	for ((tries = 0; tries < 50; tries++)); do
		ls /sys/block/nvme* >/dev/null 2>&1 || return 0
		sleep 0.2
	done
	echo "the disk is still there"
	return 1
}

# NVMe may have waited for a device that failed: it is connected again, and the reader goes on.
disk_gone_or_reconnected() {
	local tries
	for ((tries = 0; tries < 150; tries++)); do
		kill -0 "$(cat /tmp/reader)" 2>/dev/null || break
		dmesg | grep 'Successfully reconnected' && kill -- "-$(cat /tmp/reader)" && return 0
		sleep 0.2
	done
	disk_gone
}

# It comes again, and each byte is right.
disk_again() {
	sleep 2
	disk=$($nvme connect vm1) && cd /tmp && sh /share/ulp/guest/verify.sh "$disk" 5 # fio leaves files
}
