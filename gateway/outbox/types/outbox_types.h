/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file outbox_types.h
 * @brief What the configuration says about the outbox.
 */
#ifndef CUEBUS_OUTBOX_TYPES_H
#define CUEBUS_OUTBOX_TYPES_H

/** When commits are flushed and survive a power cut. A killed process loses nothing with any
 * value. */
enum outbox_sync {
	OUTBOX_SYNC_ALWAYS, /**< each commit waits for the disk */
	OUTBOX_SYNC_BATCH,  /**< flushed every 50 ms */
	OUTBOX_SYNC_NEVER,  /**< when the system decides */
};

/** Which messages are written to disk. */
enum outbox_when {
	OUTBOX_DISK_ALWAYS, /**< every message of QoS 1 */
	/** Only while the broker is away or does not acknowledge within patience_ns. A killed
	 * process loses unacknowledged messages; a gap of OUTBOX_REASON_KILLED names them. */
	OUTBOX_DISK_WHEN_AWAY,
};

/** What to drop when full. */
enum outbox_full {
	/** The oldest message that was never taken; without one, the oldest that was taken before a
	 * rewind. */
	OUTBOX_DROP_OLDEST,
	OUTBOX_REJECT_NEW, /**< the new message */
};

#endif
