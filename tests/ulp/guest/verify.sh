# SPDX-License-Identifier: GPL-2.0-or-later
# verify.sh DEVICE SECONDS: two processes, each on its half, read and write 4 KiB to 1 MiB at random, 32 at once;
# each block that was written is read again and compared. Ends with an error when one is wrong or could not be read.
[ -b "$1" ] || { echo "$1: no disk" >&2; exit 1; }
exec fio --name=verify --filename="$1" --numjobs=2 --size=128m --offset_increment=128m --group_reporting \
    --rw=randrw --bsrange=4k-1m --direct=1 --ioengine=libaio --iodepth=32 --serialize_overlap=1 \
    --time_based --runtime="$2" --verify=crc32c --verify_backlog=256 --verify_fatal=1
