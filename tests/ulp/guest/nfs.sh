# SPDX-License-Identifier: GPL-2.0-or-later
# NFS 4.2 over RDMA.
#   nfs.sh server         exports an empty folder
#   nfs.sh mount_it HOST  mounts it on /mnt
#   nfs.sh copy FOLDER    a tree of files goes there and comes back, and is the same
#   nfs.sh compare        at the server: what came is what was sent
. "${0%/*}/common.sh"
folder=/tmp/exported

server() {
    [ ! -e /proc/fs/nfsd/threads ] || return 0
    modprobe -a nfsd rpcrdma
    mounted nfsd /proc/fs/nfsd
    mkdir -p $folder /var/lib/nfs/v4recovery
    touch /etc/exports /var/lib/nfs/etab /var/lib/nfs/rmtab
    exportfs -o rw,fsid=0,no_root_squash,insecure,no_subtree_check "*:$folder"
    rpc.mountd --no-nfs-version 3
    rpc.nfsd --rdma=20049 --no-nfs-version 3 4
    # Nobody was connected before, whom a period of grace would serve.
    echo Y >/proc/fs/nfsd/v4_end_grace
}

mount_it() {
    modprobe -a nfsv4 rpcrdma
    within 20 mount -t nfs -o vers=4.2,proto=rdma,port=20049,soft,timeo=100 "$1:/" /mnt
}

# One line for all names and contents below a folder.
checksum() { (cd "$1" && find . -type f | sort | xargs sha256sum | sha256sum); }

copy() {
    rm -rf /mnt/tree
    cp -r "$1" /mnt/tree
    sync
    echo 3 >/proc/sys/vm/drop_caches
    cp -r /mnt/tree /tmp/back
    sum=$(checksum "$1")
    echo "sent $sum, came back $(checksum /tmp/back)"
    [ "$sum" = "$(checksum /tmp/back)" ]
    rm -r /tmp/back
    echo "$sum" >/mnt/sum
}

compare() {
    sum=$(cat $folder/sum)
    echo "got $(checksum $folder/tree), was $sum"
    [ "$sum" = "$(checksum $folder/tree)" ]
}

"$@"
