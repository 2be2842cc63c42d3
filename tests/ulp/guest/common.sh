# SPDX-License-Identifier: GPL-2.0-or-later
# For the other scripts here, which run their arguments: a function of theirs and what it takes.
set -eu

address_of() { getent ahostsv4 "$1" | { read -r address _ && echo "$address"; }; }

# within SECONDS COMMAND...: again and again until it succeeds.
within() {
    tries=$(($1 * 5))
    shift
    until "$@" 2>/dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "not within its time: $*" >&2; return 1; }
        sleep 0.2
    done
}

# mounted TYPE FOLDER: the file system of the kernel's own, once.
mounted() { mountpoint -q "$2" || mount -t "$1" "$1" "$2"; }

ram_disk() { # /dev/ram0 of 256 MiB
    [ -e /dev/ram0 ] || modprobe brd rd_nr=1 rd_size=262144
}
