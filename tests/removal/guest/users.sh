# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced. Processes that use the device while it is taken away: vrnic-check --removal, one that polls and one
# that sleeps in its completion channel, each with 64 queue pairs and work outstanding on all of them; and one that
# holds the driver's descriptors.
kinds="polling sleeping descriptors"
declare -A programs=(
	[polling]="vrnic-check -d DEVICE --removal --qps 64"
	[sleeping]="vrnic-check -d DEVICE --removal --qps 64 --events"
	[descriptors]="vrnicdv-check DEVICE --hold"
)
if [ -e /tmp/device ]; then
	read -r DEV GID pci </tmp/device # there is nothing to ask while it is gone
else
	pci=$(basename "$(readlink "/sys/class/net/$NETDEV/device")")
	echo "$DEV $GID $pci" >/tmp/device
fi

# until_said PATTERN SECONDS: each process has.
until_said() {
	local kind tries
	for kind in $kinds; do
		for ((tries = 0; tries < $2 * 5; tries++)); do
			grep -q "$1" "/tmp/said$kind" && continue 2
			grep -q status "/tmp/said$kind" && break
			sleep 0.2
		done
		cat "/tmp/said$kind"
		echo "nothing says \"$1\""
		return 1
	done
}

# Returns when all are busy.
users_start() {
	local kind
	set -m # process groups of their own: they may outlive this command
	for kind in $kinds; do
		rm -f "/tmp/hold$kind" && mkfifo "/tmp/hold$kind"
		sleep 1000 >"/tmp/hold$kind" & # their standard input ends with it
		echo $! >"/tmp/holder$kind"
		(
			${programs[$kind]/DEVICE/$DEV} <"/tmp/hold$kind"
			echo "status $?"
		) >"/tmp/said$kind" 2>&1 &
	done
	until_said busy 60
}

# They know that the device is gone, each request was completed, each blocked call has returned.
users_know() {
	until_said gone 30
}

# They destroy what they have.
users_end() {
	local kind
	for kind in $kinds; do
		kill "$(cat "/tmp/holder$kind")"
	done
	until_said status 30
	for kind in $kinds; do
		cat "/tmp/said$kind"
		grep -q 'status 0' "/tmp/said$kind" || return 1
	done
}

# Somebody new, on the device that is back.
new_user() {
	local tries
	for ((tries = 0; tries < 50; tries++)); do
		ibv_devinfo -d "$DEV" 2>/dev/null | grep -q PORT_ACTIVE && break
		sleep 0.2
	done
	(ibv_rc_pingpong -d "$DEV" -g "$GID" -n 100 & sleep 1; ibv_rc_pingpong -d "$DEV" -g "$GID" -n 100 localhost) | grep iters
}

# timed COMMAND...: it waits for nobody. From the entry of the driver's remove to its return it takes a second at most,
# with kernel consumers, which have their own timeouts, what $seconds says; on the debug kernel, which cannot be
# traced so, nobody measures it.
tracing=/sys/kernel/tracing
timed() {
	local us
	mountpoint -q $tracing || mount -t tracefs none $tracing
	if [ -e $tracing/set_ftrace_filter ]; then
		echo >$tracing/trace
		echo auxiliary_bus_remove >$tracing/set_ftrace_filter
		echo function_graph >$tracing/current_tracer
	fi
	timeout $((60 + ${seconds:-0})) "$@" || return 1
	us=$(awk '/auxiliary_bus_remove/ { for (i = 1; i < NF; i++) if ($(i + 1) == "us") print int($i) }' $tracing/trace | sort -n | tail -1)
	echo nop >$tracing/current_tracer
	echo "took ${us:+$((us / 1000))} ms: $*"
	case $(uname -r) in
	*-debug) ;;
	*) [ "${us:-not measured}" -le $((${seconds:-1} * 1000000)) ] ;;
	esac
}

# ---- ways to take it, and to give it back; what is empty is done by the host ----
driver=/sys/bus/pci/drivers/vrnic
rdma_driver=/sys/bus/auxiliary/drivers/vrnic_ib.rdma

take_unload() { timed rmmod vrnic_ib; }
give_unload() { vrnic-agent load; }

take_unbind() { timed sh -c "echo $pci >$driver/unbind"; }
give_unbind() { echo "$pci" >$driver/bind && vrnic-agent load; }

take_auxiliary() {
	basename $rdma_driver/vrnic.rdma.* >/tmp/auxiliary
	timed sh -c "cat /tmp/auxiliary >$rdma_driver/unbind"
}
give_auxiliary() { cat /tmp/auxiliary >$rdma_driver/bind; }

take_reset() { timed sh -c "echo 1 >/sys/bus/pci/devices/$pci/reset"; }
give_reset() { :; }

take_reload() { timed devlink dev reload "pci/$pci"; }
give_reload() { :; }

take_netns() {
	rdma system set netns exclusive
	ip netns attach first 1
	ip netns add other
	timeout $((60 + ${seconds:-0})) rdma dev set "$DEV" netns other # no driver's remove
}
give_netns() {
	ip netns exec other rdma dev set "$DEV" netns first
	ip netns del other
	ip netns del first
	rdma system set netns shared
}

take_fatal() { ! ibv_rc_pingpong -d "$DEV" -g "$GID" -n 1; } # its command is lost
give_fatal() { # it recovers by itself, and says what it was
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		devlink health show "pci/$pci" reporter device | grep 'state healthy error [1-9]' && break
		sleep 0.2
	done
	devlink health dump show "pci/$pci" reporter device | grep 'given up: ' && devlink health dump clear "pci/$pci" reporter device
}

take_surprise() { :; }
give_surprise() {
	echo 1 >/sys/bus/pci/devices/$pci/remove
	echo 1 >/sys/bus/pci/rescan
	vrnic-agent load
}

take_unplug() { :; }
give_unplug() { :; }
