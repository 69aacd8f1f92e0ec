/* SPDX-License-Identifier: Apache-2.0 */
#include "cue_criterion.h"

#include <sqlite3.h>

#include "disk_fixture.h"
#include "outbox_vfs.h"

static char dir[64];

static int count_rows(sqlite3 *db)
{
	sqlite3_stmt *s = NULL;
	int code = sqlite3_prepare_v2(db, "SELECT count(*) FROM t", -1, &s, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(s);
	sqlite3_finalize(s);
	return code;
}

static sqlite3 *open_db(const char *vfs)
{
	char path[128];
	sqlite3 *db = NULL;

	snprintf(path, sizeof(path), "%s/x.db", dir);
	cr_assert_eq(
	        sqlite3_open_v2(path, &db,
	                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_EXRESCODE,
	                        vfs),
	        SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db,
	                          "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL;"
	                          "PRAGMA cache_size=1",
	                          NULL, NULL, NULL),
	             SQLITE_OK);
	return db;
}

/* What it is for: without it the same read is "malformed". */
Test(outbox_vfs, a_read_that_the_disk_refuses_is_no_damage)
{
	uint64_t before;
	sqlite3 *db;

	disk_make_dir(dir);
	disk_install();
	db = open_db(outbox_vfs_name());
	cr_assert_eq(sqlite3_exec(db,
	                          "CREATE TABLE t(a);"
	                          "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n "
	                          "WHERE i<2000) INSERT INTO t SELECT randomblob(500) FROM n",
	                          NULL, NULL, NULL),
	             SQLITE_OK);
	before = outbox_vfs_refused_reads();
	cr_assert_eq(count_rows(db), SQLITE_ROW);
	cr_assert_eq(outbox_vfs_refused_reads(), before, "the end of a file is no refusal");
	disk_read_code = SQLITE_IOERR_CORRUPTFS;
	cr_assert_eq(count_rows(db), SQLITE_IOERR_READ);
	cr_assert_gt(outbox_vfs_refused_reads(), before);
	disk_read_code = SQLITE_OK;
	cr_assert_eq(count_rows(db), SQLITE_ROW);
	sqlite3_close(db);

	db = open_db(NULL);
	cr_assert_eq(count_rows(db), SQLITE_ROW);
	disk_read_code = SQLITE_IOERR_CORRUPTFS;
	cr_assert_eq(count_rows(db), SQLITE_CORRUPT);
	disk_read_code = SQLITE_OK;
	sqlite3_close(db);
	disk_remove_dir(dir);
}

Test(outbox_vfs, what_can_not_be_opened_is_closed)
{
	sqlite3 *db = NULL;

	cr_assert_neq(sqlite3_open_v2("/nowhere/at/all.db", &db, SQLITE_OPEN_READWRITE,
	                              outbox_vfs_name()),
	              SQLITE_OK);
	sqlite3_close(db);
}
