# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced after users.sh. Programs of others that use the device, beside its users.
packets=/sys/class/infiniband/$DEV/ports/1/hw_counters/roce_tx_packets

# in_background NAME COMMAND...: says "ended" when it is.
in_background() {
	local name=$1
	shift
	set -m # a process group of its own: it may outlive this command
	(
		trap : TERM # is for the program
		"$@"
		echo "ended: status $?"
	) >"/tmp/said$name" 2>&1 &
	echo $! >"/tmp/program$name"
}

servers_start() {
	in_background rping rping -s -a 0.0.0.0
	in_background ucmatose ucmatose
	in_background perftest ib_write_bw -d "$DEV" -F -q 64 -s 64 -D 3000
}

# clients_start HOST
clients_start() {
	in_background rping rping -c -a "$1" -C 1000000
	in_background ucmatose ucmatose -s "$1" -S 1048576 -C 10000
	in_background perftest ib_write_bw -d "$DEV" -F -q 64 -s 64 -D 3000 "$1"
}

# until_sent PACKETS: of the device, from now on. Its queue pairs have their turns, so each has its part.
until_sent() {
	local before now tries
	before=$(cat "$packets")
	for ((tries = 0; tries < 500; tries++)); do
		now=$(cat "$packets")
		[ $((now - before)) -ge "$1" ] && return 0
		sleep 0.2
	done
	echo "sent only $((now - before)) packets"
	return 1
}

all_at_work() {
	local name
	for name in rping ucmatose perftest; do
		grep -q ended "/tmp/said$name" || continue
		cat "/tmp/said$name"
		return 1
	done
}

# Those that do not end by themselves are ended, and can be: nothing in the kernel holds them.
programs_end() {
	local name tries
	sleep 2
	for name in rping ucmatose perftest; do
		echo "$name: $(grep ended "/tmp/said$name" || echo "goes on")"
		kill -- "-$(cat "/tmp/program$name")" 2>/dev/null
		for ((tries = 0; tries < 50; tries++)); do
			grep -q ended "/tmp/said$name" && continue 2
			sleep 0.2
		done
		echo "$name cannot be ended"
		return 1
	done
}
