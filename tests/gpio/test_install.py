# SPDX-License-Identifier: Apache-2.0
"""docs/install.md on the chips of a simulated Raspberry Pi 4: the button and the LED of
docs/examples/first-button.jsonc, and each block and each row of the document that says
what is seen.

Blocks are marked `<!-- gpio: NAME -->`; `…` in them stands for any text. Of the example
only the broker's address is another. The gateway runs as an ordinary user whose group
the chips belong to, as the package has it. Environment and exit status as in
test_gateway.py.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from guest_gateway import HERE, HOST, AgentUser, GuestGateway, main  # first: it finds the others

sys.path.insert(0, str(HERE.parent / "docs"))
from environment import find_program, limit_s, mortal, until  # noqa: E402
from mqtt_broker import BROKER_LINES, Broker  # noqa: E402
from mqtt_client import Client  # noqa: E402
from claims import code_names, read_documents  # noqa: E402
from test_documents import BLOCKS, as_pattern, commands  # noqa: E402

PREFIX = "cuebus/1/first"
CHIP, BUTTON, LED = "pinctrl-bcm2711", 17, 22
EXAMPLE = HERE.parents[1] / "docs" / "examples" / "first-button.jsonc"
DOCUMENT = "docs/install.md"
MARKED = {b.gpio: b for b in BLOCKS if b.gpio}
# In the guest, before the gateway is started: the program and its libraries where every user
# can read them (a build folder or a cache may be root's own), and the chips given to a group.
PREPARE = """mkdir -p /run/shared
cp "$2" /run/shared/cuebus
ldd "$2" | awk '$3 ~ "^/" { print $3 }' | xargs cp -t /run/shared
chown :65534 /dev/gpiochip*
chmod 0660 /dev/gpiochip*
"""
# $1 is the user, $2 the program.
AS_USER = """user=$1
shift 2
exec setpriv --reuid $user --regid $user --clear-groups \\
	env LD_LIBRARY_PATH=/run/shared /run/shared/cuebus "$@"
"""
MEMBER = ["bash", "-c", AS_USER, "bash", "65534"]
STRANGER = ["bash", "-c", AS_USER, "bash", "65533"]
# Of the example's window, less than this between two presses.
SOON_US = 450000


class Subscriber:
    """The document's mosquitto_sub, and what it printed."""

    def __init__(self, directory, port, command):
        bin_folder = directory / "bin"
        bin_folder.mkdir()
        for name in ("mosquitto_sub", "mosquitto_pub"):
            (bin_folder / name).write_text(f'#!/bin/sh\nexec {find_program(name)} -p {port} "$@"\n')
            (bin_folder / name).chmod(0o755)
        self.env = dict(os.environ, PATH=f"{bin_folder}:{os.environ['PATH']}")
        self.path = directory / "watched"
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(mortal(["bash", "-c", "exec " + command]), env=self.env,
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)

    def lines(self, since=0):
        """Whole lines only, without those that say that it listens."""
        text = self.path.read_text("utf-8")
        whole = text[:text.rfind("\n") + 1].splitlines()
        return [line for line in whole if not line.startswith(f"{PREFIX}/bus/led/ready")][since:]

    def has(self, count, since):
        until(f"{count} lines of mosquitto_sub", lambda: len(self.lines(since)) >= count,
              process=self.process)
        return self.lines(since)

    def listens(self, client):
        """The only sign of its subscription is the messages that it receives."""
        def heard():
            client.publish(f"{PREFIX}/bus/led/ready")
            return b"/ready" in self.path.read_bytes()
        until("mosquitto_sub listens", heard, process=self.process)

    def stop(self):
        self.process.kill()
        self.process.wait()


class FirstButton(AgentUser, unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-install-"))
        cls.gateway = cls.agent = cls.client = cls.subscriber = None
        for name in ("out", "agent", "broker"):
            (cls.directory / name).mkdir()
            (cls.directory / name).chmod(0o755)
        # One is stopped and started, and keeps sessions as Debian's does; the agent has its own.
        cls.agent_broker = Broker(cls.directory / "agent")
        cls.broker = Broker(cls.directory / "broker", (
            *BROKER_LINES, "persistence true", f"persistence_location {cls.directory / 'broker'}/"))
        try:
            cls.agent_broker.start()
            cls.broker.start()
            cls.agent = Client(cls.agent_broker).subscribe("agent/done")
            cls.client = Client(cls.broker, prefix=PREFIX).subscribe(f"{PREFIX}/#")
            (command, _), = commands(MARKED["watch"].text)
            cls.subscriber = Subscriber(cls.directory, cls.broker.port, command)
            cls.subscriber.listens(cls.client)
            cls.start_gateway()
        except BaseException:
            cls.clean_up()
            raise

    @classmethod
    def example(cls, old="", new=""):
        text = EXAMPLE.read_text("utf-8")
        if old not in text:
            raise AssertionError(f"no {old} in {EXAMPLE}")
        return (text.replace(old, new, 1)
                .replace("mqtt://localhost:1883", f"mqtt://{HOST}:{cls.broker.port}"))

    @classmethod
    def start_gateway(cls):
        cls.gateway = GuestGateway(cls, cls.example(), cls.agent_broker.port, ["--pi4"],
                                   ["bash", "-c", PREPARE + AS_USER, "bash", "65534"])
        cls.gateway.start()
        cls.wait_online(0)

    @classmethod
    def wait_online(cls, since):
        try:
            cls.client.message("online", lambda m: m.topic == f"{PREFIX}/status"
                               and m.payload == b"online", since)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{cls.gateway.log()}") from None

    @classmethod
    def tearDownClass(cls):
        try:
            cls.gateway.stop()
        finally:
            cls.clean_up()

    @classmethod
    def clean_up(cls):
        if cls.gateway:
            cls.gateway.kill()
        if cls.subscriber:
            cls.subscriber.stop()
        for client in (cls.agent, cls.client):
            if client:
                client.close()
        cls.broker.stop()
        cls.agent_broker.stop()
        shutil.rmtree(cls.directory, ignore_errors=True)

    def seen(self, name, lines):
        """The lines are those of the document's block."""
        expected = MARKED[name].text.splitlines()
        if not as_pattern(expected).match("".join(line + "\n" for line in lines)):
            self.assertEqual(lines, expected, MARKED[name].place)

    def logged(self, name, since=0):
        """The lines of the document's block are in the log, in their order."""
        def there():
            self.log = (self.gateway.out / "cuebus.log").read_text("utf-8")[since:]
            at = 0
            for line in MARKED[name].text.splitlines():
                found = re.compile(as_pattern([line]).pattern.removesuffix(r"\Z"), re.M).search(self.log, at)
                if not found:
                    return False
                at = found.end()
            return True
        try:
            until(f"{MARKED[name].place} in the log", there)
        except AssertionError as error:
            self.fail(f"{error}:\n{self.log}")

    def push(self):
        return [["pull", CHIP, BUTTON, 0], ["sleep", 0.06], ["pull", CHIP, BUTTON, 1], ["sleep", 0.06]]

    def push_twice(self):
        """Whether it was fast enough: a busy host holds the guest up."""
        results = self.do(*self.push(), *self.push())
        return results[4] - results[0] < SOON_US

    def level_is(self, level):
        until(f"the LED is {level}", lambda: self.do(["value", CHIP, LED]) == [level])

    def quiet(self):
        """The window of a press is over, the LED is dark, and nothing is on its way."""
        self.do(["sleep", 0.6])
        self.level_is(0)
        since = self.client.mark()
        self.client.publish(f"{PREFIX}/emit/fence")
        self.client.message("fence", lambda m: m.topic == f"{PREFIX}/bus/fence", since)

    def test_each_marked_block_is_looked_at(self):
        self.assertEqual(set(MARKED), {"gpiodetect", "log", "watch", "press", "double-tap", "emit", "away",
                                       "back"})

    def test_chips(self):
        (command, expected), = commands(MARKED["gpiodetect"].text)
        self.assertEqual(self.do(["output", command])[0].splitlines(), expected)

    def test_log_of_the_start(self):
        self.logged("log")

    def test_one_press(self):
        self.quiet()
        since = len(self.subscriber.lines())
        self.do(*self.push())
        self.subscriber.has(1, since)
        self.quiet()
        self.seen("press", self.subscriber.lines(since))

    def test_double_tap_lights_the_led(self):
        for _ in range(20):
            self.quiet()
            since = len(self.subscriber.lines())
            if self.push_twice():
                break
        self.subscriber.has(4, since)
        self.level_is(1)
        self.seen("double-tap", self.subscriber.has(5, since))
        self.level_is(0)

    def test_an_event_from_outside_lights_it(self):
        self.quiet()
        (command, _), = commands(MARKED["emit"].text)
        subprocess.run(["bash", "-c", command], env=self.subscriber.env, check=True, timeout=limit_s(60))
        self.level_is(1)
        self.client.publish(f"{PREFIX}/emit/led/set", {"on": False})
        self.level_is(0)

    def test_without_the_broker(self):
        for _ in range(20):
            self.quiet()
            since, log = len(self.subscriber.lines()), len((self.gateway.out / "cuebus.log").read_bytes())
            self.broker.stop()
            self.logged("away", log)
            fast = self.push_twice()
            if fast:
                self.level_is(1)
                self.level_is(0)
            before = self.client.mark()
            self.broker.start()
            self.client.reconnect()
            self.wait_online(before)
            self.quiet()
            if fast:
                break
        self.seen("back", self.subscriber.has(5, since))

    def test_what_the_log_says(self):
        """Each row of the table comes of its own mistake."""
        def button_on(line):
            """The LED is on another line: that one is held."""
            text = self.example('"line": "GPIO17"', line).replace("GPIO22", "GPIO23")
            return self.do(["run", text, *MEMBER])[0]
        mistakes = [
            button_on('"line": "GPIO71"'),
            button_on(f'"chip": "{CHIP}", "line": "SDA1"'),
            button_on('"chip": "pinctrl-rp1", "line": "GPIO17"'),
            self.do(["output", "chown :0 /dev/gpiochip*"], ["run", self.example(), *STRANGER],
                    ["output", "chown :65534 /dev/gpiochip*"])[1],
            self.do(["run", self.example(), *MEMBER])[0],
        ]
        for code, text in mistakes:
            self.assertEqual(code, 69, text)
        rows = [row for row in read_documents()[DOCUMENT].rows() if row.head[0] == "the log says"]
        said = [code_names(row.cells[0])[0] for row in rows]
        # The last is the broker's, which test_without_the_broker has.
        self.assertEqual(len(said), len(mistakes) + 1)
        for words, (_, text) in zip(said, mistakes):
            self.assertRegex(text, ".*".join(map(re.escape, words.split("…"))))


if __name__ == "__main__":
    main()
