# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced. Everything here is done without starting programs: on the debug kernel each costs a second or two.
counter=/sys/class/infiniband/$DEV/ports/1/hw_counters/roce_tx_packets
exec 3<> <(:) # nothing ever comes: read -t is sleep
set -m # what is started is a process group of its own: it may outlive this command

# start_sending COMMAND...: returns when the device has sent packets for it. $! is the command's process.
# The peer's server may still be on its way.
start_sending() {
	local before now tries
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		read -r before <$counter
		"$@" >/dev/null 2>&1 &
		while read -r now <$counter && [ "$now" = "$before" ] && kill -0 $! 2>/dev/null; do read -rt 0.1 -u 3; done
		read -rt 0.3 -u 3
		kill -0 $! 2>/dev/null && return 0
		read -rt 0.5 -u 3
	done
	return 1
}
