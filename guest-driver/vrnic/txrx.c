// SPDX-License-Identifier: GPL-2.0
/* Queues, transmit, receive. */
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/vmalloc.h>

#include "eth.h"

/* Frames up to this size are copied, and their buffer stays in the ring. */
#define VRNIC_RX_COPY 256
#define VRNIC_RX_HEADROOM NET_SKB_PAD

/* The Ethernet header with one VLAN tag: what a frame has beyond the MTU. */
#define VRNIC_FRAME_OVERHEAD (ETH_HLEN + 4)

/* A stopped transmit queue is woken when a quarter of it is free. */
#define VRNIC_TX_WAKE (1 << (VRNIC_ETH_TX_LOG_SIZE - 2))

static u32 vrnic_queue_mask(const struct vrnic_eth_queue *queue)
{
	return (1u << queue->log_size) - 1;
}

/* The descriptors before the index. */
static void vrnic_queue_publish(struct vrnic_eth_queue *queue)
{
	dma_wmb();
	WRITE_ONCE(queue->dbrec->pi, cpu_to_le32(queue->pi));
}

/* ---- completion queues ---- */

static void vrnic_eth_cq_complete(struct vrnic_cq_handler *handler)
{
	struct vrnic_eth_cq *cq = container_of(handler, struct vrnic_eth_cq, handler);

	napi_schedule_irqoff(&cq->eth->napi);
}

static void vrnic_eth_cq_failed(struct vrnic_cq_handler *handler, u32 syndrome)
{
	struct vrnic_eth_cq *cq = container_of(handler, struct vrnic_eth_cq, handler);

	vrnic_kill(cq->eth->dev, "an Ethernet completion queue failed");
}

/* The next completion, or NULL. */
static const struct vrnic_cqe *vrnic_eth_cq_next(struct vrnic_eth_cq *cq)
{
	const struct vrnic_cqe *cqe = &cq->ring[cq->ci & ((1u << cq->log_size) - 1)];

	if (le64_to_cpu(READ_ONCE(cqe->seq)) != cq->ci + 1)
		return NULL;
	dma_rmb(); /* the sequence before the rest */
	return cqe;
}

static void vrnic_eth_cq_publish(struct vrnic_eth_cq *cq)
{
	WRITE_ONCE(cq->dbrec->ci, cpu_to_le32((u32)cq->ci));
}

static void vrnic_eth_cq_arm(struct vrnic_eth_cq *cq)
{
	cq->arm_seq = (cq->arm_seq + 1) & VRNIC_CQ_ARM_SEQ_MASK;
	dma_wmb(); /* ci before arm */
	WRITE_ONCE(cq->dbrec->arm, cpu_to_le32(cq->arm_seq));
	vrnic_ring_doorbell(cq->eth->dev, VRNIC_DB_TYPE_CQ_ARM, cq->handler.cqn);
}

static int vrnic_eth_cq_create(struct vrnic_eth *eth, struct vrnic_eth_cq *cq, u32 log_size)
{
	struct vrnic_dev *dev = eth->dev;
	struct vrnic_cmd_create_cq cmd = {};
	size_t ring_bytes = sizeof(*cq->ring) << log_size;
	int ret;

	*cq = (struct vrnic_eth_cq){ .eth = eth, .log_size = log_size };
	cq->bytes = ring_bytes + SMP_CACHE_BYTES;
	cq->memory = dma_alloc_coherent(&dev->pdev->dev, cq->bytes, &cq->memory_dma, GFP_KERNEL);
	if (!cq->memory)
		return -ENOMEM;
	cq->ring = cq->memory;
	cq->dbrec = cq->memory + ring_bytes;

	cmd.eqn = cpu_to_le32(VRNIC_ASYNC_EQ + 1);
	cmd.log_size = log_size;
	cmd.dbrec_offset = cpu_to_le32(ring_bytes);
	vrnic_contiguous(&cmd.memory, cq->memory_dma, cq->bytes);
	ret = vrnic_cmd_create_cq(dev, &cmd, &cq->handler.cqn);
	if (ret)
		goto free_memory;

	cq->handler.complete = vrnic_eth_cq_complete;
	cq->handler.error = vrnic_eth_cq_failed;
	cq->handler.eqn = VRNIC_ASYNC_EQ + 1;
	ret = vrnic_cq_handler_add(dev, &cq->handler);
	if (ret)
		goto destroy;
	return 0;

destroy:
	vrnic_cmd_destroy_cq(dev, cq->handler.cqn);
free_memory:
	dma_free_coherent(&dev->pdev->dev, cq->bytes, cq->memory, cq->memory_dma);
	cq->memory = NULL;
	return ret;
}

static void vrnic_eth_cq_destroy(struct vrnic_eth *eth, struct vrnic_eth_cq *cq)
{
	if (!cq->memory)
		return;
	vrnic_cmd_destroy_cq(eth->dev, cq->handler.cqn);
	vrnic_cq_handler_remove(eth->dev, &cq->handler);
	dma_free_coherent(&eth->dev->pdev->dev, cq->bytes, cq->memory, cq->memory_dma);
	cq->memory = NULL;
}

/* ---- queues ---- */

static int vrnic_queue_create(struct vrnic_eth *eth, struct vrnic_eth_queue *queue, u8 direction,
			      u32 log_size, size_t entry_size)
{
	struct vrnic_dev *dev = eth->dev;
	struct vrnic_cmd_create_eth_queue cmd = {};
	size_t ring_bytes = entry_size << log_size;
	int ret;

	*queue = (struct vrnic_eth_queue){ .log_size = log_size };
	ret = vrnic_eth_cq_create(eth, &queue->cq, log_size);
	if (ret)
		return ret;

	queue->bytes = ring_bytes + SMP_CACHE_BYTES;
	queue->memory = dma_alloc_coherent(&dev->pdev->dev, queue->bytes, &queue->memory_dma,
					   GFP_KERNEL);
	if (!queue->memory)
		return -ENOMEM;
	queue->dbrec = queue->memory + ring_bytes;

	cmd.direction = direction;
	cmd.log_size = log_size;
	cmd.cqn = cpu_to_le32(queue->cq.handler.cqn);
	cmd.dbrec = cpu_to_le64(queue->memory_dma + ring_bytes);
	vrnic_contiguous(&cmd.ring, queue->memory_dma, ring_bytes);
	ret = vrnic_cmd_create_eth_queue(dev, &cmd, &queue->number);
	queue->created = !ret;
	return ret;
}

/* Also of a queue that was created halfway. */
static void vrnic_queue_destroy(struct vrnic_eth *eth, struct vrnic_eth_queue *queue)
{
	if (queue->created)
		vrnic_cmd_destroy_eth_queue(eth->dev, queue->number);
	queue->created = false;
	vrnic_eth_cq_destroy(eth, &queue->cq);
	if (queue->memory)
		dma_free_coherent(&eth->dev->pdev->dev, queue->bytes, queue->memory,
				  queue->memory_dma);
	queue->memory = NULL;
}

/* ---- transmit ---- */

static u32 vrnic_tx_free(const struct vrnic_eth_queue *tx)
{
	return (1u << tx->log_size) - (tx->pi - READ_ONCE(tx->ci));
}

static void vrnic_tx_unmap(struct vrnic_eth *eth, struct vrnic_tx_frame *frame)
{
	struct device *device = &eth->dev->pdev->dev;
	unsigned int i;

	/* The first is the skb's linear part. */
	for (i = 0; i < frame->num_seg; i++) {
		if (i == 0)
			dma_unmap_single(device, frame->seg[i].dma, frame->seg[i].length,
					 DMA_TO_DEVICE);
		else
			dma_unmap_page(device, frame->seg[i].dma, frame->seg[i].length,
				       DMA_TO_DEVICE);
	}
	frame->num_seg = 0;
}

static int vrnic_tx_map(struct vrnic_eth *eth, struct vrnic_tx_frame *frame, struct sk_buff *skb)
{
	struct device *device = &eth->dev->pdev->dev;
	unsigned int i;

	frame->num_seg = 0;
	for (i = 0; i <= skb_shinfo(skb)->nr_frags; i++) {
		dma_addr_t dma;
		unsigned int length;

		if (i == 0) {
			length = skb_headlen(skb);
			dma = dma_map_single(device, skb->data, length, DMA_TO_DEVICE);
		} else {
			const skb_frag_t *frag = &skb_shinfo(skb)->frags[i - 1];

			length = skb_frag_size(frag);
			dma = skb_frag_dma_map(device, frag, 0, length, DMA_TO_DEVICE);
		}
		if (dma_mapping_error(device, dma)) {
			vrnic_tx_unmap(eth, frame);
			return -ENOMEM;
		}
		frame->seg[i].dma = dma;
		frame->seg[i].length = length;
		frame->num_seg++;
	}
	return 0;
}

static void vrnic_tx_fill(struct vrnic_eth_txd *txd, const struct vrnic_tx_frame *frame)
{
	unsigned int i;

	memset(txd, 0, sizeof(*txd));
	txd->num_seg = cpu_to_le32(frame->num_seg);
	for (i = 0; i < frame->num_seg; i++) {
		txd->seg[i].addr = cpu_to_le64(frame->seg[i].dma);
		txd->seg[i].length = cpu_to_le32(frame->seg[i].length);
	}
}

static void vrnic_tx_drop(struct vrnic_eth *eth, struct sk_buff *skb)
{
	dev_kfree_skb_any(skb);
	u64_stats_update_begin(&eth->tx_stats.sync);
	u64_stats_inc(&eth->tx_stats.dropped);
	u64_stats_update_end(&eth->tx_stats.sync);
}

netdev_tx_t vrnic_eth_xmit(struct sk_buff *skb, struct net_device *netdev)
{
	struct vrnic_eth *eth = netdev_priv(netdev);
	struct vrnic_eth_queue *tx = &eth->tx;
	struct netdev_queue *txq = netdev_get_tx_queue(netdev, 0);
	u32 position = tx->pi & vrnic_queue_mask(tx);
	struct vrnic_tx_frame *frame = &eth->tx_frames[position];
	struct vrnic_eth_txd *ring = tx->memory;

	if (unlikely(vrnic_tx_free(tx) == 0))
		return NETDEV_TX_BUSY; /* the queue is stopped: not for long */
	if (eth_skb_pad(skb))
		return NETDEV_TX_OK; /* freed */
	if (skb_shinfo(skb)->nr_frags >= VRNIC_ETH_TX_SEGS && skb_linearize(skb)) {
		vrnic_tx_drop(eth, skb);
		return NETDEV_TX_OK;
	}
	if (vrnic_tx_map(eth, frame, skb)) {
		vrnic_tx_drop(eth, skb);
		return NETDEV_TX_OK;
	}
	frame->skb = skb;
	vrnic_tx_fill(&ring[position], frame);
	skb_tx_timestamp(skb);
	tx->pi++;
	vrnic_queue_publish(tx);

	/* The completion side looks at the queue's state after it moved ci. */
	if (vrnic_tx_free(tx) == 0) {
		netif_tx_stop_queue(txq);
		smp_mb();
		if (vrnic_tx_free(tx) >= VRNIC_TX_WAKE)
			netif_tx_start_queue(txq);
	}
	if (__netdev_tx_sent_queue(txq, skb->len, netdev_xmit_more()))
		vrnic_ring_doorbell(eth->dev, VRNIC_DB_TYPE_ETH_TX, tx->number);
	return NETDEV_TX_OK;
}

/* All frames that the device has sent; budget is napi's, 0 from netpoll. */
static void vrnic_tx_poll(struct vrnic_eth *eth, int budget)
{
	struct vrnic_eth_queue *tx = &eth->tx;
	struct netdev_queue *txq = netdev_get_tx_queue(eth->netdev, 0);
	unsigned int packets = 0, bytes = 0, errors = 0;
	const struct vrnic_cqe *cqe;
	u32 ci = tx->ci;

	while ((cqe = vrnic_eth_cq_next(&tx->cq)) && packets + errors < 1u << tx->log_size) {
		struct vrnic_tx_frame *frame = &eth->tx_frames[ci & vrnic_queue_mask(tx)];

		if (!frame->skb) {
			vrnic_kill(eth->dev, "completion of no frame");
			break;
		}
		vrnic_tx_unmap(eth, frame);
		if (cqe->status == VRNIC_WC_SUCCESS)
			packets++;
		else
			errors++;
		bytes += frame->skb->len;
		napi_consume_skb(frame->skb, budget);
		frame->skb = NULL;
		ci++;
		tx->cq.ci++;
	}
	if (!packets && !errors)
		return;
	vrnic_eth_cq_publish(&tx->cq);

	u64_stats_update_begin(&eth->tx_stats.sync);
	u64_stats_add(&eth->tx_stats.packets, packets);
	u64_stats_add(&eth->tx_stats.bytes, bytes);
	u64_stats_add(&eth->tx_stats.errors, errors);
	u64_stats_update_end(&eth->tx_stats.sync);

	netdev_tx_completed_queue(txq, packets + errors, bytes);
	WRITE_ONCE(tx->ci, ci);
	smp_mb(); /* ci before the queue's state, see vrnic_eth_xmit */
	if (netif_tx_queue_stopped(txq) && vrnic_tx_free(tx) >= VRNIC_TX_WAKE)
		netif_tx_wake_queue(txq);
}

static void vrnic_tx_free_frames(struct vrnic_eth *eth)
{
	u32 i;

	for (i = 0; eth->tx_frames && i <= vrnic_queue_mask(&eth->tx); i++) {
		struct vrnic_tx_frame *frame = &eth->tx_frames[i];

		if (!frame->skb)
			continue;
		vrnic_tx_unmap(eth, frame);
		dev_kfree_skb_any(frame->skb);
	}
	kvfree(eth->tx_frames);
	eth->tx_frames = NULL;
	netdev_tx_reset_queue(netdev_get_tx_queue(eth->netdev, 0));
}

/* ---- receive ---- */

static unsigned int vrnic_rx_buffer_bytes(unsigned int frame_length)
{
	return SKB_DATA_ALIGN(VRNIC_RX_HEADROOM + frame_length) +
	       SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
}

static int vrnic_rx_alloc(struct vrnic_eth *eth, struct vrnic_rx_buffer *buffer, gfp_t gfp)
{
	struct device *device = &eth->dev->pdev->dev;
	struct page *page;

	page = alloc_pages(gfp | __GFP_COMP | __GFP_NOWARN, eth->rx_order);
	if (!page)
		return -ENOMEM;
	buffer->dma = dma_map_page(device, page, VRNIC_RX_HEADROOM, eth->rx_length,
				   DMA_FROM_DEVICE);
	if (dma_mapping_error(device, buffer->dma)) {
		__free_pages(page, eth->rx_order);
		return -ENOMEM;
	}
	buffer->page = page;
	return 0;
}

static void vrnic_rx_post(struct vrnic_eth *eth, const struct vrnic_rx_buffer *buffer)
{
	struct vrnic_eth_queue *rx = &eth->rx;
	struct vrnic_eth_rxd *ring = rx->memory;

	ring[rx->pi & vrnic_queue_mask(rx)].buf = (struct vrnic_eth_seg){
		.addr = cpu_to_le64(buffer->dma),
		.length = cpu_to_le32(eth->rx_length),
	};
	rx->pi++;
}

/* The frame in a small skb of its own; the buffer stays mapped. */
static struct sk_buff *vrnic_rx_copy(struct vrnic_eth *eth, struct vrnic_rx_buffer *buffer,
				     u32 length)
{
	struct device *device = &eth->dev->pdev->dev;
	struct sk_buff *skb = napi_alloc_skb(&eth->napi, length);

	if (!skb)
		return NULL;
	dma_sync_single_for_cpu(device, buffer->dma, length, DMA_FROM_DEVICE);
	skb_put_data(skb, page_address(buffer->page) + VRNIC_RX_HEADROOM, length);
	dma_sync_single_for_device(device, buffer->dma, length, DMA_FROM_DEVICE);
	return skb;
}

/* The frame in its buffer; a new one takes its place, or the frame is dropped. */
static struct sk_buff *vrnic_rx_take(struct vrnic_eth *eth, struct vrnic_rx_buffer *buffer,
				     u32 length)
{
	struct vrnic_rx_buffer old = *buffer;
	struct sk_buff *skb;

	if (vrnic_rx_alloc(eth, buffer, GFP_ATOMIC))
		return NULL;
	dma_unmap_page(&eth->dev->pdev->dev, old.dma, eth->rx_length, DMA_FROM_DEVICE);
	skb = napi_build_skb(page_address(old.page), PAGE_SIZE << eth->rx_order);
	if (!skb) {
		__free_pages(old.page, eth->rx_order);
		return NULL;
	}
	skb_reserve(skb, VRNIC_RX_HEADROOM);
	skb_put(skb, length);
	return skb;
}

static int vrnic_rx_poll(struct vrnic_eth *eth, int budget)
{
	struct vrnic_eth_queue *rx = &eth->rx;
	unsigned int packets = 0, bytes = 0, dropped = 0, errors = 0;
	const struct vrnic_cqe *cqe;
	int work = 0;

	while (work < budget && (cqe = vrnic_eth_cq_next(&rx->cq))) {
		struct vrnic_rx_buffer *buffer = &eth->rx_buffers[rx->ci & vrnic_queue_mask(rx)];
		u32 length = le32_to_cpu(READ_ONCE(cqe->byte_len));
		bool good = cqe->status == VRNIC_WC_SUCCESS && length >= ETH_HLEN &&
			    length <= eth->rx_length;
		struct sk_buff *skb = NULL;

		if (good)
			skb = length <= VRNIC_RX_COPY ? vrnic_rx_copy(eth, buffer, length) :
							vrnic_rx_take(eth, buffer, length);
		if (skb) {
			packets++;
			bytes += length;
			skb->protocol = eth_type_trans(skb, eth->netdev);
			napi_gro_receive(&eth->napi, skb);
		} else if (good) {
			dropped++;
		} else {
			errors++;
		}
		vrnic_rx_post(eth, buffer);
		rx->ci++;
		rx->cq.ci++;
		work++;
	}
	if (work) {
		vrnic_eth_cq_publish(&rx->cq);
		vrnic_queue_publish(rx);
		u64_stats_update_begin(&eth->rx_stats.sync);
		u64_stats_add(&eth->rx_stats.packets, packets);
		u64_stats_add(&eth->rx_stats.bytes, bytes);
		u64_stats_add(&eth->rx_stats.dropped, dropped);
		u64_stats_add(&eth->rx_stats.errors, errors);
		u64_stats_update_end(&eth->rx_stats.sync);
	}
	return work;
}

static int vrnic_rx_fill(struct vrnic_eth *eth)
{
	u32 i;
	int ret;

	for (i = 0; i <= vrnic_queue_mask(&eth->rx); i++) {
		ret = vrnic_rx_alloc(eth, &eth->rx_buffers[i], GFP_KERNEL);
		if (ret)
			return ret;
		vrnic_rx_post(eth, &eth->rx_buffers[i]);
	}
	vrnic_queue_publish(&eth->rx);
	vrnic_ring_doorbell(eth->dev, VRNIC_DB_TYPE_ETH_RX, eth->rx.number);
	return 0;
}

static void vrnic_rx_free_buffers(struct vrnic_eth *eth)
{
	u32 i;

	for (i = 0; eth->rx_buffers && i <= vrnic_queue_mask(&eth->rx); i++) {
		struct vrnic_rx_buffer *buffer = &eth->rx_buffers[i];

		if (!buffer->page)
			continue;
		dma_unmap_page(&eth->dev->pdev->dev, buffer->dma, eth->rx_length, DMA_FROM_DEVICE);
		__free_pages(buffer->page, eth->rx_order);
	}
	kvfree(eth->rx_buffers);
	eth->rx_buffers = NULL;
}

/* ---- NAPI ---- */

static int vrnic_napi_poll(struct napi_struct *napi, int budget)
{
	struct vrnic_eth *eth = container_of(napi, struct vrnic_eth, napi);
	int work;

	vrnic_tx_poll(eth, budget);
	work = vrnic_rx_poll(eth, budget);
	if (work < budget && napi_complete_done(napi, work)) {
		vrnic_eth_cq_arm(&eth->tx.cq);
		vrnic_eth_cq_arm(&eth->rx.cq);
	}
	return work;
}

/* ---- up and down, under rtnl ---- */

static void vrnic_eth_free_queues(struct vrnic_eth *eth)
{
	vrnic_queue_destroy(eth, &eth->tx);
	vrnic_queue_destroy(eth, &eth->rx);
	vrnic_tx_free_frames(eth);
	vrnic_rx_free_buffers(eth);
}

static u32 vrnic_eth_log_size(const struct vrnic_eth *eth, u32 wanted)
{
	u32 max = min(le32_to_cpu(eth->dev->caps->max_eth_entries),
		      le32_to_cpu(eth->dev->caps->max_cq_entries));

	while (wanted > 1 && 1u << wanted > max)
		wanted--;
	return wanted;
}

int vrnic_eth_queues_up(struct vrnic_eth *eth)
{
	u32 tx_log = vrnic_eth_log_size(eth, VRNIC_ETH_TX_LOG_SIZE);
	u32 rx_log = vrnic_eth_log_size(eth, VRNIC_ETH_RX_LOG_SIZE);
	int ret;

	eth->rx_length = READ_ONCE(eth->netdev->mtu) + VRNIC_FRAME_OVERHEAD;
	eth->rx_order = get_order(vrnic_rx_buffer_bytes(eth->rx_length));

	eth->tx = (struct vrnic_eth_queue){ .log_size = tx_log };
	eth->rx = (struct vrnic_eth_queue){ .log_size = rx_log };
	eth->tx_frames = kvcalloc(1u << tx_log, sizeof(*eth->tx_frames), GFP_KERNEL);
	eth->rx_buffers = kvcalloc(1u << rx_log, sizeof(*eth->rx_buffers), GFP_KERNEL);
	ret = -ENOMEM;
	if (!eth->tx_frames || !eth->rx_buffers)
		goto fail;

	netif_napi_add(eth->netdev, &eth->napi, vrnic_napi_poll);
	ret = vrnic_queue_create(eth, &eth->tx, VRNIC_ETH_TX, tx_log, sizeof(struct vrnic_eth_txd));
	if (!ret)
		ret = vrnic_queue_create(eth, &eth->rx, VRNIC_ETH_RX, rx_log,
					 sizeof(struct vrnic_eth_rxd));
	if (!ret)
		ret = vrnic_rx_fill(eth);
	if (ret) {
		netif_napi_del(&eth->napi);
		goto fail;
	}
	eth->queues_up = true;
	napi_enable(&eth->napi);
	vrnic_eth_cq_arm(&eth->tx.cq);
	vrnic_eth_cq_arm(&eth->rx.cq);
	return 0;

fail:
	vrnic_eth_free_queues(eth);
	netdev_err(eth->netdev, "cannot set up the queues: %d\n", ret);
	return ret;
}

/* NAPI is disabled and nothing is transmitted. */
void vrnic_eth_queues_down(struct vrnic_eth *eth)
{
	if (!eth->queues_up)
		return;
	eth->queues_up = false;
	vrnic_eth_free_queues(eth);
	netif_napi_del(&eth->napi);
}
