# SPDX-License-Identifier: Apache-2.0
"""The notify protocol (sd_notify(3)) over a real socket, by a service manager
of the test's own that starts the gateway as systemd does."""

import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "integration"))
from harness import CUEBUS, TIMEOUT_S, Broker, free_port  # noqa: E402


class Manager:
    """Starts the gateway with NOTIFY_SOCKET and keeps every message in order."""

    def __init__(self, directory, watchdog_us=None, abstract=False):
        self.directory = pathlib.Path(directory)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        if abstract:
            self.socket.bind("\0cuebus-test-" + os.urandom(8).hex())
            self.name = "@" + self.socket.getsockname()[1:].decode()
        else:
            self.name = str(self.directory / "notify")
            self.socket.bind(self.name)
        self.watchdog_us = watchdog_us
        self.messages = []  # (monotonic time, {key: value})
        self.pids = set()
        self.condition = threading.Condition()
        self.process = None
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                data, control, _, _ = self.socket.recvmsg(4096, 256)
            except OSError:
                return
            if not data:  # close() below
                return
            message = dict(line.split("=", 1) for line in data.decode().splitlines())
            pid = struct.unpack("iII", control[0][2])[0]
            with self.condition:
                self.pids.add(pid)
                self.messages.append((time.monotonic(), message))
                self.condition.notify_all()

    def start(self, config, environment=()):
        path = self.directory / "cuebus.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        env = dict(os.environ, NOTIFY_SOCKET=self.name)
        env.update(environment)
        env.pop("WATCHDOG_USEC", None)
        if self.watchdog_us:
            env["WATCHDOG_USEC"] = str(self.watchdog_us)
        self.log = self.directory / "cuebus.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([CUEBUS, "run", "-c", str(path)], env=env,
                                            stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=log)
        return self

    def wait(self, what, predicate, since=0, while_running=True):
        """Index after the first message from `since` on for which predicate holds."""
        deadline = time.monotonic() + TIMEOUT_S
        with self.condition:
            while True:
                for n, (_, message) in enumerate(self.messages[since:], since):
                    if predicate(message):
                        return n + 1
                if time.monotonic() > deadline:
                    raise AssertionError(f"timeout: {what}; messages: {self.messages[-10:]}\n"
                                         + self.log.read_text())
                if while_running and self.process.poll() is not None:
                    raise AssertionError(f"{what}: it ended with {self.process.returncode}\n"
                                         + self.log.read_text())
                self.condition.wait(0.2)

    def ready(self, since=0):
        return self.wait("READY=1", lambda m: m.get("READY") == "1", since)

    def said(self, key, since=0):
        with self.condition:
            return [m[key] for _, m in self.messages[since:] if key in m]

    def mark(self):
        with self.condition:
            return len(self.messages)

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
        if self.process:
            self.process.wait()
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def config(port, **more):
    return {"version": 1, "gateway": {"id": "svc", "health_interval": "200ms"},
            "mqtt": {"url": f"mqtt://127.0.0.1:{port}"},
            "inputs": {"pad": {"driver": "sim", "kind": "button", "event": "button.press"}},
            **more}


class Notify(unittest.TestCase):
    def setUp(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-notify-"))
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def broker(self):
        broker = Broker(self.directory)
        self.addCleanup(broker.stop)
        return broker.start()

    def manager(self, **options):
        manager = Manager(self.directory, **options)
        self.addCleanup(manager.close)
        return manager

    def stop(self, manager):
        since = manager.mark()
        manager.process.terminate()
        manager.wait("STOPPING=1", lambda m: m.get("STOPPING") == "1", since, False)
        self.assertEqual(manager.process.wait(TIMEOUT_S), 0, manager.log.read_text())

    def test_life(self):
        manager = self.manager().start(config(self.broker().port))
        manager.ready()
        self.assertEqual(manager.pids, {manager.process.pid}, "NotifyAccess=main would drop others'")
        at = manager.wait("status", lambda m: "connected to" in m.get("STATUS", ""))
        self.assertIn("gateway 'svc'", manager.said("STATUS", at - 1)[0])
        self.assertIn("1 input, ", manager.said("STATUS", at - 1)[0])
        self.stop(manager)
        self.assertEqual(manager.said("READY"), ["1"], "sent once")
        self.assertEqual(manager.said("WATCHDOG"), [], "none was asked for")
        self.assertEqual([m for _, m in manager.messages][-1].get("STOPPING"), "1")

    def test_abstract_socket(self):
        manager = self.manager(abstract=True).start(config(self.broker().port))
        manager.ready()
        self.stop(manager)

    def test_ready_also_when_the_broker_is_away(self):
        """READY comes after the first attempt to connect, even if it failed."""
        broker = Broker(self.directory)
        broker.port = free_port()
        manager = self.manager().start(config(broker.port))
        at = manager.ready()
        self.assertIn("no connection to", manager.said("STATUS")[-1])
        self.addCleanup(broker.stop)
        broker.start()
        manager.wait("status", lambda m: "connected to" in m.get("STATUS", ""), at)
        since = manager.mark()
        broker.kill()
        manager.wait("status", lambda m: "no connection to" in m.get("STATUS", ""), since)
        broker.start()
        self.stop(manager)

    def test_not_ready_before_the_attempt_has_ended(self):
        """A broker that takes the connection and says nothing: no READY until
        the attempt is given up."""
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            listener.settimeout(TIMEOUT_S)
            manager = self.manager().start(config(listener.getsockname()[1]))
            connection, _ = listener.accept()
            connection.settimeout(TIMEOUT_S)
            self.assertEqual(connection.recv(1), b"\x10", "CONNECT")
            self.assertEqual(manager.said("READY"), [])
            connection.close()
            manager.ready()
        self.stop(manager)

    def test_not_ready_when_an_input_can_not_be_opened(self):
        broken = config(self.broker().port, inputs={"door": {
            "driver": "gpio", "chip": "no-such-chip", "line": 1, "kind": "button",
            "event": "door.press"}})
        manager = self.manager().start(broken)
        self.assertEqual(manager.process.wait(TIMEOUT_S), 69, manager.log.read_text())
        self.assertEqual(manager.said("READY"), [])

    def test_reload(self):
        good = config(self.broker().port)
        manager = self.manager().start(good)
        at = manager.ready()
        for n in range(2):
            before_us = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            manager.process.send_signal(signal.SIGHUP)
            at = manager.wait("RELOADING=1", lambda m: m.get("RELOADING") == "1", at)
            told_us = int(manager.messages[at - 1][1]["MONOTONIC_USEC"])
            self.assertGreaterEqual(told_us, before_us)
            self.assertLessEqual(told_us, time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000)
            at = manager.ready(at)
        # A configuration that is refused is no end of the service, and is seen.
        (self.directory / "cuebus.json").write_text("{ no json")
        manager.process.send_signal(signal.SIGHUP)
        at = manager.wait("RELOADING=1", lambda m: m.get("RELOADING") == "1", at)
        at = manager.wait("READY=1", lambda m: m.get("READY") == "1"
                          and "reload was refused" in m.get("STATUS", ""), at)
        (self.directory / "cuebus.json").write_text(json.dumps(good))
        manager.process.send_signal(signal.SIGHUP)
        at = manager.wait("READY=1", lambda m: m.get("READY") == "1"
                          and "refused" not in m.get("STATUS", "refused"), at)
        self.stop(manager)

    def test_watchdog_is_fed_while_nothing_happens(self):
        manager = self.manager(watchdog_us=400000).start(config(self.broker().port))
        at = manager.ready()
        for _ in range(5):
            at = manager.wait("WATCHDOG=1", lambda m: m.get("WATCHDOG") == "1", at)
        times = [t for t, m in manager.messages if "WATCHDOG" in m]
        # Half of the time: no test of how late, but of not being sent with every wake.
        self.assertGreater(times[-1] - times[0], 4 * 0.15)
        self.stop(manager)

    def test_a_loop_that_hangs_is_not_fed(self):
        """The other threads continue. When the loop continues, the watchdog is fed again."""
        hangs = self.directory / "hangs"
        manager = self.manager(watchdog_us=200000).start(
            config(self.broker().port), {"LD_PRELOAD": os.environ["LOOP_SHIM"],
                                         "CUEBUS_LOOP_HANGS": str(hangs)})
        at = manager.ready()
        manager.wait("WATCHDOG=1", lambda m: m.get("WATCHDOG") == "1", at)
        hangs.touch()
        self.addCleanup(hangs.unlink, missing_ok=True)
        manager.process.send_signal(signal.SIGHUP)  # it comes round, and hangs
        self.wait_until_it_hangs(manager.process.pid)
        since = manager.mark()
        # Five times the watchdog's time: how long the fault lasts, nothing is waited for.
        threading.Event().wait(1)
        self.assertEqual(manager.said("WATCHDOG", since), [])
        self.assertIsNone(manager.process.poll())
        hangs.unlink()
        manager.wait("WATCHDOG=1", lambda m: m.get("WATCHDOG") == "1", since)
        self.stop(manager)

    def wait_until_it_hangs(self, pid):
        """The loop itself sleeps in epoll_wait() only."""
        deadline = time.monotonic() + TIMEOUT_S
        while time.monotonic() < deadline:
            state = pathlib.Path(f"/proc/{pid}/task/{pid}/wchan").read_text()
            if "nanosleep" in state:
                return
            time.sleep(0.001)
        self.fail(f"the loop thread does not hang: {state}")

    def test_bad_environment_is_told(self):
        for name, value in (("NOTIFY_SOCKET", "vsock:2:1"), ("WATCHDOG_USEC", "soon")):
            with self.subTest(name):
                path = self.directory / "cuebus.json"
                path.write_text(json.dumps(config(1)))
                env = dict(os.environ, NOTIFY_SOCKET="@cuebus-none")
                env[name] = value
                result = subprocess.run([CUEBUS, "run", "-c", str(path)], env=env, text=True,
                                        capture_output=True, timeout=TIMEOUT_S)
                self.assertEqual(result.returncode, os.EX_CONFIG)
                self.assertIn("NOTIFY_SOCKET, WATCHDOG_USEC or WATCHDOG_PID", result.stderr)

    def test_a_socket_that_is_not_there_is_told_once(self):
        """The gateway continues: NOTIFY_SOCKET may be left over from another service."""
        manager = self.manager()
        manager.name = str(self.directory / "none")
        manager.start(config(self.broker().port))
        self.until_log(manager, "connected to mqtt://")
        self.until_log(manager, f"the service manager's socket '{manager.name}'")
        manager.process.send_signal(signal.SIGHUP)
        self.until_log(manager, "reloaded")
        manager.process.terminate()
        self.assertEqual(manager.process.wait(TIMEOUT_S), 0, manager.log.read_text())
        self.assertEqual(manager.messages, [])
        told = [line for line in manager.log.read_text().splitlines() if "NOTIFY_SOCKET" in line]
        self.assertEqual(len(told), 1, told)
        self.assertIn("warning", told[0])
        self.assertIn("No such file or directory", told[0])

    def until_log(self, manager, text):
        deadline = time.monotonic() + TIMEOUT_S
        while text not in manager.log.read_text():
            self.assertIsNone(manager.process.poll(), manager.log.read_text())
            self.assertLess(time.monotonic(), deadline, manager.log.read_text())
            time.sleep(0.01)


if __name__ == "__main__":
    unittest.main()
