# SPDX-License-Identifier: Apache-2.0
"""An unusual environment: a standard error without a reader, an inherited socket, and a state_dir
that is moved away while the gateway runs."""

import fcntl
import os
import signal
import socket
import subprocess
import time
import unittest

from test_state_folder import StateFolder
from harness import CUEBUS, SLOW, Gateway, P, mortal, until

PIPE_BYTES = 4096  # the smallest that there is
TICKS = 500
FAULTS = 200       # findings of a configuration that is reloaded: each a line


class Unread(Gateway):
    """Its standard error is a pipe without a reader."""

    def start(self, environment=None):
        self.starts += 1
        self.log_path.touch()
        self.unread, writes = os.pipe()
        fcntl.fcntl(writes, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self.process = subprocess.Popen(
            mortal([CUEBUS, "run", "-c", str(self.path)]), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=writes, env=dict(os.environ, **(environment or {})))
        os.close(writes)
        return self


class Inheriting(Gateway):
    """It is given a connected socket that has nothing to do with it."""

    def start(self, environment=None):
        self.starts += 1
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                mortal([CUEBUS, "run", "-c", str(self.path)]), stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, pass_fds=[self.given.fileno()],
                env=dict(os.environ, **(environment or {})))
        return self


class Surroundings(StateFolder):
    def begin(self, kind, **more):
        self.gateway = kind(self.directory, self.state_config())
        for key, value in more.items():
            setattr(self.gateway, key, value)
        self.addCleanup(self.gateway.kill)
        self.run_gateway()

    def test_standard_error_that_nobody_reads(self):
        """The log drops, and nothing else waits for it: not a command, not the end."""
        self.begin(Unread)
        self.addCleanup(os.close, self.gateway.unread)
        config = self.state_config()
        config["playlists"] = {f"p{n}": {"step": []} for n in range(FAULTS)}
        self.gateway.write(config)
        for _ in range(3):
            self.gateway.signal(signal.SIGHUP)
            self.ok("ping", {})
            self.assertFalse(self.watcher.request_raw("config/reload")["ok"])
        self.ok("ping", {})
        self.gateway.stop()

    def test_proxies_of_the_environment(self):
        """A connection to the broker is one to its address. paho 1.3.12 takes the first two, later
        versions where the last one says so."""
        proxy = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(proxy.close)
        url = f"http://127.0.0.1:{proxy.getsockname()[1]}"
        environment = {"http_proxy": url, "https_proxy": url, "PAHO_C_CLIENT_USE_HTTP_PROXY": "TRUE"}
        self.start(self.state_config(), environment)
        self.log_has("connected to")
        self.assertNotIn("no connection", self.gateway.log())
        self.becomes_healthy(environment)
        proxy.setblocking(False)
        self.assertRaises(BlockingIOError, proxy.accept)
        self.gateway.stop()

    def test_a_socket_that_was_inherited(self):
        """What is set on the gateway's own connection is not set on that one."""
        listener = socket.create_server(("127.0.0.1", 0))
        given = socket.create_connection(listener.getsockname())
        peer, _ = listener.accept()
        for s in (listener, given, peer):
            self.addCleanup(s.close)
        options = [(socket.IPPROTO_TCP, socket.TCP_NODELAY),
                   (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)]
        before = [given.getsockopt(*o) for o in options]
        self.begin(Inheriting, given=given)
        self.ok("ping", {})
        self.assertEqual([given.getsockopt(*o) for o in options], before)
        self.gateway.stop()
        peer.sendall(b"still there")
        self.assertEqual(given.recv(100), b"still there")

    def test_the_folder_above_moves_away_and_comes_back(self):
        above = self.directory / "above"
        above.mkdir()
        self.state = above / "state"
        self.state.mkdir()
        self.run_gateway()
        away = above.rename(self.directory / "away")
        until("in memory", lambda: self.health()["outbox"]["disk"] != "ok",
              process=self.gateway.process)
        away.rename(above)
        until("back on disk", lambda: self.health()["outbox"]["disk"] == "ok",
              process=self.gateway.process)
        self.ok("playlist/define", {"name": "p", "definition": {"steps": [{"emit": "a.b"}]}})
        self.gateway.kill()
        self.run_gateway()
        self.ok("playlist/start", {"playlist": "p"})
        self.gateway.stop()

    def test_only_the_log_of_the_database_is_removed(self):
        """What waits is in there, and in no other file that has a name."""
        proxy = self.new_proxy(self.broker.port)
        config = self.state_config()
        config["mqtt"]["url"] = f"mqtt://127.0.0.1:{proxy.port}"
        config["playlists"] = {"p": {"trigger": "go.go", "steps": [
            {"emit": "tick.tick", "repeat": TICKS, "interval": "1ms"}]}}
        self.run_gateway(config)
        self.watcher.publish(f"{P}/emit/go/go")
        self.watcher.event("tick.tick")
        proxy.mute = True
        proxy.drop_all()
        log = self.state / "outbox.db-wal"
        written = -1
        while written != log.stat().st_mtime_ns:
            written = log.stat().st_mtime_ns
            time.sleep(SLOW)
        number = log.stat().st_ino
        log.unlink()
        until("a new log", lambda: log.exists() and log.stat().st_ino != number,
              process=self.gateway.process)
        self.log_has("back on disk")
        self.gateway.kill()
        proxy.mute = False
        self.run_gateway()
        self.watcher.wait("all that waited", lambda: len(
            {(e["boot_id"], e["seq"]) for e in self.watcher.events("tick.tick")}) == TICKS)
        self.gateway.stop()


del StateFolder

if __name__ == "__main__":
    unittest.main()
