# SPDX-License-Identifier: GPL-2.0-or-later
# reload.sh TIMES: every kernel consumer that this kernel has is loaded and unloaded, as often; afterwards
# nothing of them is left on the device.
. "${0%/*}/common.sh"
consumers="ib_iser ib_isert ib_srp ib_srpt ib_ipoib nvme_rdma nvmet_rdma rpcrdma rds_rdma smc ib_umad 9pnet_rdma opa_vnic"

there=
for module in $consumers; do
    ! modinfo "$module" >/dev/null 2>&1 || there="$there $module"
done
echo "consumers:$there"
modprobe -a $there
modprobe -ra $there
before=$(rdma resource show)
for try in $(seq "$1"); do
    modprobe -a $there
    modprobe -ra $there
done
after=$(rdma resource show)
[ "$before" = "$after" ] || { echo "before: $before"; echo "after: $after"; exit 1; }
echo "$1 times, nothing is left"
