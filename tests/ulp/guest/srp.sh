# SPDX-License-Identifier: GPL-2.0-or-later
# SCSI over RDMA (SRP), with LIO's target.
#   srp.sh target HOST     exports a RAM disk to that machine
#   srp.sh connect HOST    connects to it; prints the block device
#   srp.sh fill DEVICE FOLDER  makes a file system on it and copies the folder there
#   srp.sh check DEVICE    the file system and its files are right
. "${0%/*}/common.sh"
core=/sys/kernel/config/target/core/iblock_0/disk
srpt=/sys/kernel/config/target/srpt
port=5555

# Of a machine's device: it follows from the MAC address, as its GIDs do.
guid_of() {
    ping -c 1 "$1" >/dev/null
    ip neigh show to "$(address_of "$1")" |
        sed -E 's/.*lladdr ([^ ]*) .*/\1/; s/://g; s/(.{6})(.*)/\1fffe\2/; s/^52/50/'
}

target() {
    [ ! -e $core ] || return 0
    modprobe -a configfs target_core_mod target_core_iblock ib_srpt
    mounted configfs /sys/kernel/config
    ram_disk
    mkdir -p $core
    echo udev_path=/dev/ram0 >$core/control
    echo 1 >$core/enable
    # The target's name is the first GID of its port; that of who may connect is 8 bytes and its device's GUID.
    gid=0x$(sed "s/://g" "/sys/class/infiniband/$DEV/ports/1/gids/0")
    group=$srpt/$gid/$gid
    acl=$group/acls/0x0000000000000000$(guid_of "$1")
    mkdir -p "$group/lun/lun_0" "$acl/lun_0"
    ln -s $core "$group/lun/lun_0/disk"
    ln -s "$group/lun/lun_0" "$acl/lun_0/disk"
    echo 1 >"$group/enable"
    echo $port >$srpt/discovery_auth/rdma_cm_port
}

block_device() {
    set -- /sys/block/sd?
    [ -e "$1" ] && echo "/dev/${1##*/}"
}

connect() {
    block_device && return
    modprobe -a ib_srp sd_mod
    guid=$(guid_of "$1")
    echo "id_ext=$guid,ioc_guid=$guid,dest=$(address_of "$1"):$port" >"/sys/class/infiniband_srp/srp-$DEV-1/add_target"
    within 10 block_device
}

fill() {
    mkfs.ext4 -q "$1"
    modprobe ext4
    mount "$1" /mnt
    cp -r "$2" /mnt/tree
    (cd "$2" && find . -type f | sort | xargs sha256sum) >/mnt/sums
    umount /mnt
}

check() {
    echo 3 >/proc/sys/vm/drop_caches
    fsck.ext4 -fn "$1"
    mount "$1" /mnt
    (cd /mnt/tree && sha256sum --quiet -c /mnt/sums)
    echo "$(wc -l </mnt/sums) files are right"
    umount /mnt
}

"$@"
