# SPDX-License-Identifier: GPL-2.0-or-later
# NVMe over RDMA by the kernel's own files; no nvme-cli is needed.
#   nvme.sh target          exports a RAM disk at this VM's address
#   nvme.sh connect HOST    connects to it, if it is not connected; prints the block device
#   nvme.sh disconnect      ends all connections
#   nvme.sh again           the target listens again: nvmet gives its listener up with the device
#   nvme.sh withdraw        the target is gone
. "${0%/*}/common.sh"
nqn=vrnic-test
nvmet=/sys/kernel/config/nvmet
subsystem=$nvmet/subsystems/$nqn
port=$nvmet/ports/1

target() {
    [ ! -e $port/subsystems/$nqn ] || return 0
    modprobe -a configfs nvmet nvmet_rdma
    mounted configfs /sys/kernel/config
    ram_disk
    mkdir $subsystem $subsystem/namespaces/1 $port
    echo 1 >$subsystem/attr_allow_any_host
    echo /dev/ram0 >$subsystem/namespaces/1/device_path
    echo 1 >$subsystem/namespaces/1/enable
    echo rdma >$port/addr_trtype
    echo ipv4 >$port/addr_adrfam
    address_of "$VM" >$port/addr_traddr
    echo 4420 >$port/addr_trsvcid
    ln -s $subsystem $port/subsystems/$nqn
}

again() {
    rm $port/subsystems/$nqn
    ln -s $subsystem $port/subsystems/$nqn
}

withdraw() {
    rm $port/subsystems/$nqn
    rmdir $port
    echo 0 >$subsystem/namespaces/1/enable
    rmdir $subsystem/namespaces/1 $subsystem
    rmmod nvmet_rdma brd
}

block_device() {
    set -- /sys/block/nvme[0-9]n1
    [ -e "$1" ] && echo "/dev/${1##*/}"
}

connect() {
    block_device && return
    modprobe nvme_rdma
    echo "transport=rdma,traddr=$(address_of "$1"),trsvcid=4420,nqn=$nqn,nr_io_queues=2,nr_write_queues=2,reconnect_delay=2" >/dev/nvme-fabrics
    within 10 block_device
}

disconnect() {
    for controller in /sys/class/nvme/nvme*; do
        [ ! -e "$controller" ] || echo 1 >"$controller/delete_controller"
    done
}

"$@"
