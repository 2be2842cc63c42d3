// SPDX-License-Identifier: GPL-2.0
/*
 * Leaves receives with both queue pairs and sends that find no receive. They can
 * only end by the error state: when the consumer drains, or when the device dies.
 */
#include <linux/module.h>

#include "cases.h"
#include "pair.h"

#define SENDS 4
#define HELD (SENDS + PAIR_DEPTH - 1)

static struct pair pair;
static struct ib_cqe held_cqe;
static atomic_t held;
static atomic_t others; /* ended in another way */

static void held_done(struct ib_cq *cq, struct ib_wc *wc)
{
	if (wc->status != IB_WC_WR_FLUSH_ERR)
		atomic_inc(&others);
	if (atomic_dec_and_test(&held))
		pr_info("kernel_verbs: all %d requests ended, %d not flushed\n", HELD,
			atomic_read(&others));
}

static int post_all(void)
{
	struct ib_sge sge = pair_sge(&pair, 0, 64);
	struct ib_recv_wr recv = { .wr_cqe = &held_cqe, .sg_list = &sge, .num_sge = 1 };
	struct ib_send_wr send = { .wr_cqe = &held_cqe, .sg_list = &sge, .num_sge = 1,
				   .opcode = IB_WR_SEND, .send_flags = IB_SEND_SIGNALED };
	int ret = 0;
	int i;

	held_cqe.done = held_done;
	atomic_set(&held, HELD);
	atomic_set(&others, 0);
	/* One place stays for the drain's own. */
	for (i = 0; i < PAIR_DEPTH - 1 && !ret; i++)
		ret = ib_post_recv(pair.left, &recv, NULL);
	for (i = 0; i < SENDS && !ret; i++)
		ret = ib_post_send(pair.left, &send, NULL);
	return ret;
}

int holder_start(struct ib_device *ib, int gid_index)
{
	const char *wrong = pair_create(&pair, ib, gid_index,
					&(struct pair_setup){ .context = IB_POLL_SOFTIRQ,
							      .rnr_retry = 7 });

	if (!wrong && post_all())
		wrong = "requests were not taken";
	if (wrong) {
		pr_info("kernel_verbs: %s\n", wrong);
		pair_destroy(&pair);
		return -EIO;
	}
	pr_info("kernel_verbs: %d requests are outstanding\n", HELD);
	return 0;
}

void holder_stop(void)
{
	ib_drain_qp(pair.left);
	ib_drain_qp(pair.right);
	pr_info("kernel_verbs: drained, %d requests left\n", atomic_read(&held));
	pair_destroy(&pair);
}
