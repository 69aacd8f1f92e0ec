# SPDX-License-Identifier: Apache-2.0
"""A disk that is full, read-only, forbidden, damaged or replaced under a running gateway with a real
broker: the gateway continues, reports what happened, returns to the disk when that works, sends
each event or names it in `gateway.gap`, and sends nothing that was not put.

Environment: CUEBUS_FAULT_SCALE (factor on the number of damaged files), CUEBUS_FAULT_SEED (which
damage).
"""

import contextlib
import fcntl
import os
import random
import re
import shutil
import signal
import sqlite3
import struct
import unittest
from unittest import mock

import namespace
from disk_test import DISK_BYTES, DiskTest
from harness import P, until

SCALE = float(os.environ.get("CUEBUS_FAULT_SCALE", "1"))
SEED = int(os.environ.get("CUEBUS_FAULT_SEED", int.from_bytes(os.urandom(4), "big")))
BURSTS = 40  # at once, of twice as many events as ticks: more than 1,000 pages of log
NOBODY = 65534
F_OFD_SETLK = 37


class Space(DiskTest):
    def fill(self):
        filler = self.disk / "filler"
        with open(filler, "wb", buffering=0) as f:
            for size in (65536, 4096, 1):
                try:
                    while f.write(b"\0" * size) == size:
                        pass
                except OSError:
                    pass
        return filler

    def test_full(self):
        self.run_gateway()
        self.on_disk()
        filler = self.fill()
        # As long as all is sent at once SQLite may get by with the room in its log: so
        # more is made to wait than that can hold.
        since = self.watcher.mark()
        for _ in range(BURSTS):
            self.burst()
        # They have come in: a command on its way would be lost with the connection.
        self.fence()
        self.cut_off()
        self.log_has("full; continuing in memory")
        self.bring_back()
        self.health("the failure is counted", lambda o: o["disk_failures"] > 0)
        self.end_of_run(since)
        filler.unlink()
        self.on_disk()
        self.log_has("back on disk")
        # And what is there now is kept.
        since = self.burst()
        self.watcher.event("burst.tick", since=since)
        self.gateway.kill()
        self.run_gateway()
        self.fence()
        self.check_complete()
        self.gateway.stop()

    def test_full_at_the_start(self):
        filler = self.fill()
        self.run_gateway()
        self.in_memory("full", "No space left")
        self.end_of_run(self.burst())
        filler.unlink()
        self.on_disk()
        self.fence()
        self.check_complete()
        self.gateway.stop()

    def test_read_only(self):
        """At the start: a file system with files open to write can't be made so."""
        self.run_gateway()
        self.fence()
        self.gateway.kill()
        namespace.remount(self.disk, "ro")
        self.run_gateway()
        self.in_memory("Read-only", "readonly")
        self.end_of_run(self.burst())
        namespace.remount(self.disk, "rw")
        self.on_disk()
        self.fence()
        self.check_complete()
        self.gateway.stop()

    def readable_suppressions(self):
        """TSAN_OPTIONS with a copy that another user can read: the source tree may be in a
        folder that no other user may enter."""
        options = os.environ.get("TSAN_OPTIONS", "")
        path = re.search("suppressions=([^: ]+)", options)
        if not path:
            return options
        copy = self.directory / "tsan.supp"
        shutil.copy(path[1], copy)
        copy.chmod(0o644)
        return options.replace(path[1], str(copy))

    def test_forbidden(self):
        """Another user's folder, which may be read but not written."""
        self.disk.chmod(0o755)
        self.directory.chmod(0o755)
        self.state.chmod(0o555)
        wrapper = os.environ.get("CUEBUS_WRAPPER", "")
        setpriv = f"setpriv --reuid={NOBODY} --regid={NOBODY} --clear-groups"
        with mock.patch.dict(os.environ, CUEBUS_WRAPPER=f"{setpriv} {wrapper}",
                             TSAN_OPTIONS=self.readable_suppressions()):
            self.run_gateway()
        self.in_memory("Permission denied")
        self.log_has("may write in it")
        self.end_of_run(self.burst())
        os.chown(self.state, NOBODY, NOBODY)
        self.state.chmod(0o700)
        self.on_disk()
        # Its own folder, which it may not look into any more: the file was not removed.
        self.state.chmod(0o000)
        self.in_memory("outbox.db: Permission denied")
        self.end_of_run(self.burst())
        self.state.chmod(0o700)
        self.on_disk()
        self.fence()
        self.check_complete()
        self.gateway.stop()


class Replaced(DiskTest):
    def other_program(self):
        with contextlib.closing(sqlite3.connect(self.db)) as db, db:
            db.execute("CREATE TABLE accounts(name TEXT, balance INTEGER)")
            db.execute("INSERT INTO accounts VALUES('somebody', 42)")
            # A number that other programs use too.
            db.execute("PRAGMA user_version=1")

    def is_other_program(self, path):
        with contextlib.closing(sqlite3.connect(path)) as db:
            rows = db.execute("SELECT * FROM accounts").fetchall()
        return rows == [("somebody", 42)]

    def check_goes_on(self):
        self.end_of_run(self.burst())
        self.fence()
        self.check_complete()

    def test_folder_removed(self):
        self.run_gateway()
        self.on_disk()
        self.cut_off()
        shutil.rmtree(self.state)
        self.log_has("the file was removed")
        self.log_has("back on disk")
        self.bring_back()
        self.on_disk()
        self.check_goes_on()
        self.assertTrue(self.db.is_file())
        self.gateway.stop()

    def test_directory_in_its_place(self):
        """A folder in its place, before and after the start: it is renamed with its contents."""
        self.db.mkdir()
        (self.db / "kept").write_text("mine")
        self.run_gateway()
        self.on_disk()
        self.log_has("outbox.db is a folder; it was renamed to outbox.db.corrupt-")
        self.end_of_run(self.burst())
        self.assertEqual([(p / "kept").read_text() for p in self.set_aside()], ["mine"])
        self.db.unlink()
        self.db.mkdir()
        (self.db / "kept").write_text("mine too")
        self.log_has("back on disk")
        self.on_disk()
        self.assertEqual([(p / "kept").read_text() for p in self.set_aside()],
                         ["mine", "mine too"])
        self.check_goes_on()
        self.gateway.stop()

    def test_links_and_fifos_in_their_places(self):
        secret = self.directory / "secret"
        secret.write_text("untouched")
        os.mkfifo(self.db)
        os.mkfifo(self.state / "outbox.db-wal")
        (self.state / "outbox.db-shm").symlink_to(secret)
        (self.state / "lock").symlink_to(secret)
        self.run_gateway()
        self.on_disk()
        self.assertEqual(secret.read_text(), "untouched")
        for name in ("outbox.db", "outbox.db-wal"):
            self.log_has(f"{name} is a FIFO; it was renamed to {name}.corrupt-")
        self.log_has("outbox.db-shm is a symbolic link; it was renamed to outbox.db-shm.corrupt-")
        self.log_has("lock is not a regular file; it was renamed to lock.corrupt-")
        self.check_goes_on()
        self.gateway.stop()

    def test_folder_taken_by_another_gateway(self):
        """Removed, made again and locked by another: not written in until that ends."""
        self.run_gateway()
        self.on_disk()
        shutil.rmtree(self.state)
        self.state.mkdir()
        with open(self.state / "lock", "w+") as lock:
            lock.write("gateway 'attic', process 1\n")
            lock.flush()
            fcntl.fcntl(lock, F_OFD_SETLK, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0))
            self.in_memory("in use by gateway 'attic'")
            self.end_of_run(self.burst())
            reply = self.watcher.request_raw("playlist/define", {
                "name": "made", "definition": {"steps": [{"emit": "made.tick"}]}})
            self.assertEqual(reply["error"]["code"], "refused")
            self.assertFalse(self.db.exists())
            self.assertFalse((self.state / "definitions").exists())
        self.on_disk()
        self.log_has("is not the same folder as before: locked it")
        self.check_goes_on()
        self.gateway.stop()

    def test_another_program_s_file(self):
        self.other_program()
        self.run_gateway()
        self.on_disk()
        self.log_has("it was renamed to")
        aside = self.set_aside()
        self.assertEqual(len(aside), 1)
        self.assertTrue(self.is_other_program(aside[0]))
        self.check_goes_on()
        self.gateway.stop()

    def test_no_database_at_all(self):
        self.db.write_text("Shopping list: bread, butter, a new disk\n" * 100)
        before = self.db.read_bytes()
        self.run_gateway()
        self.on_disk()
        self.assertEqual([p.read_bytes() for p in self.set_aside()], [before])
        self.check_goes_on()
        self.gateway.stop()


class Damaged(DiskTest):
    disk_bytes = 16 * DISK_BYTES  # damaged files are kept, beside the new one

    def waiting(self):
        """A gateway without a broker, with events that wait on disk."""
        self.proxy.mute = True
        if self.gateway is None:
            self.start(self.disk_config())
        else:
            self.gateway.start()
        self.log_has("no connection to the broker")

    def wait_for_bytes(self, n_bytes):
        """Of events on disk, in the database or its log."""
        until("events on disk", lambda: sum(p.stat().st_size for p in (
            self.db, self.state / "outbox.db-wal") if p.exists()) > n_bytes,
            process=self.gateway.process)

    def empty_log(self):
        """Checkpoint the log, so that damage hits the database."""
        with contextlib.closing(sqlite3.connect(self.db)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def kept(self):
        """The events on the disk of the killed gateway: {(boot, seq): (topic, payload)}."""
        copy = self.folder(f"copy-{len(list(self.directory.glob('copy-*')))}")
        for path in self.state.glob("outbox.db*"):
            if ".corrupt-" not in path.name:
                shutil.copy(path, copy)
        with contextlib.closing(sqlite3.connect(copy / "outbox.db")) as db:
            rows = db.execute("SELECT boot_id,seq,topic,payload FROM messages").fetchall()
        return {(boot, seq): (topic, bytes(payload)) for boot, seq, topic, payload in rows if seq}

    def damage(self, rng):
        """@return what was done."""
        files = [p for p in (self.db, self.state / "outbox.db-wal")
                 if p.is_file() and p.stat().st_size]
        path = rng.choice(files)
        size = path.stat().st_size
        how = rng.choice(("flips", "flips", "truncated", "page", "header"))
        with open(path, "r+b") as f:
            if how == "truncated":
                f.truncate(rng.randrange(size))
            elif how == "page":
                f.seek(rng.randrange(size) // 4096 * 4096)
                f.write(rng.randbytes(4096))
            else:
                for _ in range(rng.choice((1, 5, 50))):
                    at = rng.randrange(min(size, 100) if how == "header" else size)
                    f.seek(at)
                    byte = f.read(1)[0] ^ 1 << rng.randrange(8)
                    f.seek(at)
                    f.write(bytes([byte]))
        return f"{path.name} {how}"

    def test_between_lives(self):
        """What is read is what was put, and a database that is damaged is kept. Of a log that
        is damaged SQLite reads what precedes that, as after a power cut: what followed nobody
        can know, and so not name; that there was something is in the log."""
        rng = random.Random(SEED)
        print(f"seed {SEED}", flush=True)
        rounds, counts = max(1, int(8 * SCALE)), []
        for n in range(rounds):
            self.waiting()
            self.wait_for_bytes(200000)
            self.gateway.kill()
            if n % 2:
                self.empty_log()
            kept, aside = self.kept(), self.set_aside()
            what = self.damage(rng)
            since = self.watcher.mark()
            self.proxy.mute = False
            self.run_gateway()
            self.fence()
            counts.append((what, *self.check_kept(kept, aside, since)))
            self.gateway.stop()
        for line in counts:
            print("%s: %d on disk, %d sent, %d named as lost" % line, flush=True)
        self.check_right()

    def check_kept(self, kept, aside, since):
        boots = {boot for boot, _ in kept}
        sent = set()
        for m in self.watcher.messages[since:]:
            if not m.topic.startswith(P + "/bus/"):
                continue
            key = (m.json["boot_id"], m.json["seq"])
            if key[0] in boots:
                self.assertEqual(kept.get(key), (m.topic, m.payload), "it was not put")
                sent.add(key)
        told = self.told() & set(kept)
        self.assertEqual(sent & told, set(), "named as lost, and sent")
        if self.set_aside() == aside and sent | told != set(kept):
            # Only messages that the damage cut off from the log, as a power cut does, are lost.
            lost = sorted(set(kept) - sent - told)
            self.assertGreater(min(lost), max(sent, default=("", 0)))
        return len(kept), len(sent), len(told)

    def test_under_the_running_gateway(self):
        rng = random.Random(SEED)
        print(f"seed {SEED}", flush=True)
        self.run_gateway()
        for _ in range(max(1, int(2 * SCALE))):
            # More than the outbox and SQLite keep in memory, so that it has to read.
            for _ in range(8):
                self.watcher.publish(f"{P}/emit/burst/start")
            self.cut_off()
            self.wait_for_bytes(2500000)
            self.gateway.signal(signal.SIGSTOP)
            what = [self.damage(rng) for _ in range(3)]
            self.gateway.signal(signal.SIGCONT)
            self.bring_back()
            self.fence()
            self.on_disk()
            missing = self.check_complete(gaps_allowed=True)
            print(f"{what}: {missing} lost and named so far, "
                  f"{len(self.set_aside())} files set aside", flush=True)
        self.gateway.stop()


if __name__ == "__main__":
    unittest.main()
