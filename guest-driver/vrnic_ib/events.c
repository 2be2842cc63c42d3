// SPDX-License-Identifier: GPL-2.0
/* Asynchronous events of QPs and of the device, to whom they concern. */
#include "vrnic_ib.h"

static const struct {
	u32 type;
	enum ib_event_type event;
} vrnic_qp_events[] = {
	{ VRNIC_EVENT_QP_FATAL, IB_EVENT_QP_FATAL },
	{ VRNIC_EVENT_QP_REQ_ERROR, IB_EVENT_QP_REQ_ERR },
	{ VRNIC_EVENT_QP_ACCESS_ERROR, IB_EVENT_QP_ACCESS_ERR },
	{ VRNIC_EVENT_QP_COMM_EST, IB_EVENT_COMM_EST },
	{ VRNIC_EVENT_QP_SQ_DRAINED, IB_EVENT_SQ_DRAINED },
	{ VRNIC_EVENT_QP_LAST_WQE, IB_EVENT_QP_LAST_WQE_REACHED },
};

/* In hard interrupt context: vrnic_destroy_qp waits for us. */
static void vrnic_qp_event(struct vrnic_ib_dev *vib, u32 qpn, enum ib_event_type type)
{
	struct vrnic_qp *qp = xa_load(&vib->qps, qpn);
	struct ib_event event = { .device = &vib->ib, .event = type };

	if (!qp || !qp->ib.event_handler)
		return;
	event.element.qp = &qp->ib;
	qp->ib.event_handler(&event, qp->ib.qp_context);
}

/* In hard interrupt context: vrnic_destroy_srq waits for us. */
static void vrnic_srq_event(struct vrnic_ib_dev *vib, u32 srqn, enum ib_event_type type)
{
	struct vrnic_srq *srq = xa_load(&vib->srqs, srqn);
	struct ib_event event = { .device = &vib->ib, .event = type };

	if (!srq || !srq->ib.event_handler)
		return;
	event.element.srq = &srq->ib;
	srq->ib.event_handler(&event, srq->ib.srq_context);
}

static void vrnic_device_died(struct vrnic_ib_dev *vib)
{
	struct ib_event event = {
		.device = &vib->ib,
		.element.port_num = VRNIC_PORT,
		.event = IB_EVENT_DEVICE_FATAL,
	};

	vrnic_wake_kernel(vib);
	vrnic_states_end(vib);
	if (!READ_ONCE(vib->leaving))
		ib_dispatch_event(&event);
}

static void vrnic_async(struct vrnic_async_client *client, u32 type, u32 number, u32 code)
{
	struct vrnic_ib_dev *vib = container_of(client, struct vrnic_ib_dev, async);
	unsigned int i;

	if (type == VRNIC_EVENT_DEVICE_FATAL) {
		vrnic_device_died(vib);
		return;
	}
	if (type == VRNIC_EVENT_SRQ_LIMIT || type == VRNIC_EVENT_SRQ_ERROR) {
		vrnic_srq_event(vib, number,
				type == VRNIC_EVENT_SRQ_LIMIT ? IB_EVENT_SRQ_LIMIT_REACHED :
								IB_EVENT_SRQ_ERR);
		return;
	}
	if (type == VRNIC_EVENT_STREAM) {
		vrnic_stream_event(vib, number);
		return;
	}
	for (i = 0; i < ARRAY_SIZE(vrnic_qp_events); i++) {
		if (vrnic_qp_events[i].type == type) {
			vrnic_qp_event(vib, number, vrnic_qp_events[i].event);
			return;
		}
	}
	dev_warn_ratelimited(&vib->ib.dev, "unknown event 0x%x, number %u, code %u\n", type, number,
			     code);
}

void vrnic_events_start(struct vrnic_ib_dev *vib)
{
	vib->async.event = vrnic_async;
	vrnic_async_client_set(vib->dev, &vib->async);
}

/*
 * The core flushes the device's events that it has, and then forgets us; those
 * of objects, and the device's death, concern who is still to leave it.
 */
void vrnic_events_leave(struct vrnic_ib_dev *vib)
{
	WRITE_ONCE(vib->leaving, true);
	synchronize_rcu(); /* vrnic_async runs under it */
}

void vrnic_events_stop(struct vrnic_ib_dev *vib)
{
	vrnic_async_client_clear(vib->dev);
}
