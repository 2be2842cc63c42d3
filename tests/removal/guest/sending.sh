# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced. Everything here is done without starting programs: on the debug kernel each costs a second or two.
counter=/sys/class/infiniband/$DEV/ports/1/hw_counters/roce_tx_packets
exec 3<> <(:) # nothing ever comes: read -t is sleep

# serve: perftest's server on two ports, for ever. One notices only when the peer's device is back that its
# client is gone; the next client takes the other.
serve() {
	local port
	for port in 18515 18516; do
		while :; do ib_write_bw -d "$DEV" -F -D 60 -p $port >/dev/null 2>&1; done &
	done
	wait
}

# start_sending: returns when the device has sent packets for perftest. $! is its process. It polls, so it is
# nice: what removes the device would get half of the processor beside it. The server may still be on its way.
start_sending() {
	local before now tries port=18516
	[ -e /tmp/port ] && read -r port </tmp/port
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		port=$((18515 + 18516 - port))
		echo $port >/tmp/port
		read -r before <$counter
		set -m # a process group of its own: it may outlive this command
		nice -n 10 ib_write_bw -d "$DEV" -F -D 60 -p $port vm1 >/dev/null 2>&1 &
		while read -r now <$counter && [ "$now" = "$before" ] && kill -0 $! 2>/dev/null; do read -rt 0.1 -u 3; done
		read -rt 0.3 -u 3
		kill -0 $! 2>/dev/null && return 0
		echo "no peer yet"
	done
	return 1
}
