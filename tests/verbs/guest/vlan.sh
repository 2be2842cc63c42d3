# SPDX-License-Identifier: GPL-2.0-or-later
# vlan.sh NUMBER, to be sourced: VLAN 5 on eth0 with the address 10.5.0.NUMBER, and the index of its GID in VLAN_GID.
ip link show eth0.5 >/dev/null 2>&1 || {
    ip link add link eth0 name eth0.5 type vlan id 5
    ip addr add "10.5.0.$1/24" dev eth0.5
    ip link set eth0.5 up
}
gid=$(printf '0000:0000:0000:0000:0000:ffff:0a05:%04x' "$1")
VLAN_GID=
for try in 1 2 3 4 5 6 7 8 9 10; do
    for file in /sys/class/infiniband/"$DEV"/ports/1/gids/[0-9]; do
        index=${file##*/}
        [ "$(cat "$file")" = "$gid" ] || continue
        grep -q 'RoCE v2' /sys/class/infiniband/"$DEV"/ports/1/gid_attrs/types/"$index" && VLAN_GID=$index
    done
    [ -n "$VLAN_GID" ] && break
    sleep 0.2
done
