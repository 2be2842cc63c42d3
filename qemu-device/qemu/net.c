/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The netdev: frames out, frames in, link. */
#include "qemu/osdep.h"

#include "device.h"

static bool net_can_receive(NetClientState *nc)
{
	VrnicState *s = qemu_get_nic_opaque(nc);

	return !s->bridge || !vrnic_on_bus(s) || vrnic_bridge_can_receive(s->bridge);
}

/* 0: the net layer keeps the frame until it is flushed (host_receive_ready). */
static ssize_t net_receive(NetClientState *nc, const uint8_t *frame, size_t size)
{
	VrnicState *s = qemu_get_nic_opaque(nc);

	if (!s->bridge || !vrnic_on_bus(s))
		return size;
	if (!vrnic_bridge_can_receive(s->bridge))
		return 0;
	vrnic_bridge_receive(s->bridge, frame, size);
	return size;
}

static void net_link_status_changed(NetClientState *nc)
{
	VrnicState *s = qemu_get_nic_opaque(nc);

	if (!s->bridge)
		return;
	/* A frame that waits for a peer that is gone would wait for ever; a pulled cable loses it. */
	if (nc->link_down)
		vrnic_net_drop_in_flight(s);
	if (s->bridge)
		vrnic_bridge_set_link(s->bridge, !nc->link_down);
}

static NetClientInfo net_info = {
	.type = NET_CLIENT_DRIVER_NIC,
	.size = sizeof(NICState),
	.can_receive = net_can_receive,
	.receive = net_receive,
	.link_status_changed = net_link_status_changed,
};

void vrnic_net_create(VrnicState *s)
{
	DeviceState *dev = DEVICE(s);

	s->nic = qemu_new_nic(&net_info, &s->conf, object_get_typename(OBJECT(s)), dev->id,
#if VRNIC_NIC_HAS_GUARD
			      &dev->mem_reentrancy_guard,
#endif
			      s);
	qemu_format_nic_info_str(qemu_get_queue(s->nic), s->conf.macaddr.a);
}

static void net_sent(NetClientState *nc, ssize_t size)
{
	VrnicState *s = qemu_get_nic_opaque(nc);

	s->frame_in_flight = false;
	if (s->bridge)
		vrnic_bridge_wire_ready(s->bridge);
}

/*
 * The net layer never refuses a frame: it answers 0 and keeps a copy. So one
 * frame is let through that way, and the engine is held back until it is gone.
 */
enum vrnic_send vrnic_net_send(VrnicState *s, const void *frame, size_t size)
{
	if (s->frame_in_flight)
		return VRNIC_SEND_PAUSED;
	if (qemu_send_packet_async(qemu_get_queue(s->nic), frame, (int)size, net_sent) == 0)
		s->frame_in_flight = true;
	return VRNIC_SEND_TAKEN;
}

void vrnic_net_drop_in_flight(VrnicState *s)
{
	if (s->frame_in_flight)
		qemu_purge_queued_packets(qemu_get_queue(s->nic)); /* calls net_sent */
}

bool vrnic_net_layout_fits(const VrnicState *s)
{
	const NetClientState *nc = qemu_get_queue(s->nic);

	return s->nic->conf == &s->conf && s->nic->opaque == s && nc->info == &net_info;
}
