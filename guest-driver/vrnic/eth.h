/* SPDX-License-Identifier: GPL-2.0 */
/* The Ethernet function: one transmit and one receive queue, one NAPI. */
#ifndef VRNIC_ETH_H
#define VRNIC_ETH_H

#include <linux/netdevice.h>
#include <linux/u64_stats_sync.h>

#include "vrnic.h"

#define VRNIC_ETH_TX_LOG_SIZE 9
#define VRNIC_ETH_RX_LOG_SIZE 9

/* A completion queue of slot 0: ring and doorbell record in one piece of memory. */
struct vrnic_eth_cq {
	struct vrnic_cq_handler handler;
	struct vrnic_eth *eth;
	void *memory;
	dma_addr_t memory_dma;
	size_t bytes;
	u32 log_size;
	u64 ci;
	u32 arm_seq;
	struct vrnic_cqe *ring;
	struct vrnic_cq_dbrec *dbrec;
};

/* A frame in the transmit ring. seg: what to unmap. */
struct vrnic_tx_frame {
	struct sk_buff *skb;
	unsigned int num_seg;
	struct {
		dma_addr_t dma;
		unsigned int length;
	} seg[VRNIC_ETH_TX_SEGS];
};

/* A buffer in the receive ring. */
struct vrnic_rx_buffer {
	struct page *page;
	dma_addr_t dma;
};

struct vrnic_eth_queue {
	u32 number; /* the device's name for it */
	u32 log_size;
	bool created;
	void *memory; /* ring, then doorbell record */
	dma_addr_t memory_dma;
	size_t bytes;
	struct vrnic_eth_dbrec *dbrec;
	u32 pi; /* posted */
	u32 ci; /* completed */
	struct vrnic_eth_cq cq;
};

struct vrnic_eth_stats {
	u64_stats_t packets;
	u64_stats_t bytes;
	u64_stats_t dropped;
	u64_stats_t errors;
	struct u64_stats_sync sync;
};

struct vrnic_eth {
	struct vrnic_dev *dev;
	struct net_device *netdev;
	struct napi_struct napi;

	struct vrnic_eth_queue tx;
	struct vrnic_tx_frame *tx_frames;
	struct vrnic_eth_stats tx_stats;

	struct vrnic_eth_queue rx;
	struct vrnic_rx_buffer *rx_buffers;
	unsigned int rx_order;	/* pages of a buffer, log2 */
	unsigned int rx_length; /* bytes of the longest frame */
	struct vrnic_eth_stats rx_stats;

	struct mutex port_lock; /* SET_PORT: what is asked last is sent last */
	struct work_struct rx_mode_work;
	bool port_up;	/* under the netdev's address lock */
	bool queues_up; /* under rtnl */
};

/* txrx.c */
int vrnic_eth_queues_up(struct vrnic_eth *eth);
void vrnic_eth_queues_down(struct vrnic_eth *eth);
netdev_tx_t vrnic_eth_xmit(struct sk_buff *skb, struct net_device *netdev);

/* ethtool.c */
extern const struct ethtool_ops vrnic_ethtool_ops;

#endif /* VRNIC_ETH_H */
