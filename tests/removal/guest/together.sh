# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced after users.sh. Programs of others that use the device, and how much they did.
completions=/sys/class/infiniband/$DEV/ports/1/hw_counters/completions
names="rping ucmatose perftest" # which of these
: "${message:=262144}"           # of ucmatose, bytes; it sends so many, and ends
declare -A servers=(
	[rping]="rping -s -a 0.0.0.0"
	[ucmatose]="ucmatose -S $message -C 16000"
	[perftest]="ib_send_bw -d $DEV -F -q 64 -s 64 -Q 1 -D 3000"
)
declare -A clients=(
	[rping]="rping -c -a HOST -C 1000000"
	[ucmatose]="ucmatose -s HOST -S $message -C 16000"
	[perftest]="ib_send_bw -d $DEV -F -q 64 -s 64 -Q 1 -D 3000 HOST"
)

# in_background NAME COMMAND...: says "ended" when it is.
in_background() {
	local name=$1
	shift
	set -m # a process group of its own: it may outlive this command
	(
		trap : TERM # is for the program
		stdbuf -oL "$@"
		echo "ended: status $?"
	) >"/tmp/said-$name" 2>&1 &
	echo $! >"/tmp/program-$name"
}

servers_start() {
	local name
	for name in $names; do
		in_background "$name-server" ${servers[$name]}
	done
	sleep 2 # they listen
}

# client_start NAME HOST
client_start() {
	in_background "$1-client" ${clients[$1]/HOST/$2}
}

# clients_start HOST
clients_start() {
	local name
	for name in $names; do client_start "$name" "$1"; done
}

# until_completed COUNT: by the device, from now on.
until_completed() {
	local before now tries
	before=$(<"$completions")
	for ((tries = 0; tries < 500; tries++)); do
		now=$(<"$completions")
		[ $((now - before)) -ge "$1" ] && return 0
		sleep 0.2
	done
	echo "only $((now - before)) completions"
	return 1
}

all_at_work() {
	! grep ended /tmp/said-*
}

# completed COMMAND: completions that it had, by the contexts of its completion queues.
completed() {
	rdma -dd resource show cq | awk -v of="$1" '/ comm / { its = $NF == of } its && $1 == "drv_cqn" { print $2 }' |
		while read -r cqn; do vrnicctl dump cq "$cqn"; done | awk '$1 == "index" { all += $2 } END { print all + 0 }'
}

# clients_at_work HOST: one after the other, each until its queue pairs had a thousand each; perftest's have their turns.
clients_at_work() {
	local name tries now
	for name in $names; do
		client_start "$name" "$1"
		for ((tries = 0; tries < 200; tries++)); do
			case $name in
			perftest) now=$(($(completed ib_send_bw) / 64)) ;;
			*) now=$(completed "$name") ;;
			esac
			[ "$now" -ge 1000 ] && echo "$name: $now completions" && continue 2
			sleep 0.2
		done
		echo "$name: only $now completions"
		return 1
	done
}

# programs_end SECONDS: they have this time to be told. Those that do not end by themselves are ended, and can be:
# nothing in the kernel holds them.
programs_end() {
	local program name tries
	for program in /tmp/program-*; do
		name=${program#/tmp/program-}
		for ((tries = 0; tries < $1 * 5; tries++)); do
			grep -qE 'ended|data transfers complete' "/tmp/said-$name" && break
			sleep 0.2
		done
	done
	for program in /tmp/program-*; do
		name=${program#/tmp/program-}
		sed "s/^/$name: /" "/tmp/said-$name" | tail -n 6
		kill -- "-$(<"$program")" 2>/dev/null
		rm "$program"
		for ((tries = 0; tries < 50; tries++)); do
			grep -q ended "/tmp/said-$name" && rm "/tmp/said-$name" && continue 2
			sleep 0.2
		done
		echo "$name cannot be ended"
		return 1
	done
}
