# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced with a command: starts it and returns when the device has sent packets for it. $! is the command's
# process. Starts no other program: on the debug kernel each costs a second.
counter=/sys/class/infiniband/$DEV/ports/1/hw_counters/roce_tx_packets
exec 3<> <(:)
read -r before <$counter
setsid "$@" >/dev/null 2>&1 &
while read -r now <$counter && [ "$now" = "$before" ] && kill -0 $!; do read -rt 0.1 -u 3; done
read -rt 0.3 -u 3
kill -0 $!
