/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_types.h
 * @brief What the configuration says about the outbox.
 */
#ifndef CUEBUS_OUTBOX_TYPES_H
#define CUEBUS_OUTBOX_TYPES_H

/** When what was committed is safe from a power cut; a killed process
 *  loses nothing in any of them. */
enum outbox_sync {
	OUTBOX_SYNC_ALWAYS, /**< each commit waits for the disk */
	OUTBOX_SYNC_BATCH,  /**< the disk is waited for every 50 ms */
	OUTBOX_SYNC_NEVER,  /**< whenever the system likes */
};

/** What is written to disk. */
enum outbox_when {
	OUTBOX_DISK_ALWAYS, /**< every message of QoS 1 */
	/** Only while the broker is away or does not acknowledge within patience_ns. A killed
	 *  process loses what was not acknowledged; a gap of OUTBOX_REASON_KILLED names it. */
	OUTBOX_DISK_WHEN_AWAY,
};

/** Who has to go when the outbox is full. */
enum outbox_full {
	/** The oldest message never taken; if there is none, the oldest that was
	 *  taken before a rewind. */
	OUTBOX_DROP_OLDEST,
	OUTBOX_REJECT_NEW, /**< the one that is put */
};

#endif
