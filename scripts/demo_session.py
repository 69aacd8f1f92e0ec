# SPDX-License-Identifier: Apache-2.0
"""The session of scripts/demo. Run scripts/demo, which installs everything needed."""

import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import paho.mqtt.client as mqtt
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

# paho-mqtt 2 needs the version of the callbacks' arguments; 1.6 has only one.
CALLBACKS = ({"callback_api_version": mqtt.CallbackAPIVersion.VERSION2}
             if hasattr(mqtt, "CallbackAPIVersion") else {})

ROOT = pathlib.Path(__file__).resolve().parents[1]
P = "cuebus/1/demo"
KONAMI = "up up down down left right left right b a".split()
TIMEOUT_S = 30
# File in which --keep records the running processes, for --stop.
KEPT = pathlib.Path(tempfile.gettempdir()) / f"cuebus-demo-{os.getuid()}.json"

COLOURS = sys.stdout.isatty() and "NO_COLOR" not in os.environ


def colour(code, text):
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def width():
    return max(80, shutil.get_terminal_size((120, 24)).columns)


def say(text=""):
    print(text, flush=True)


def fail(text):
    raise SystemExit(f"scripts/demo: {text}")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


class Processes:
    """Broker and gateway in a folder of their own."""

    def __init__(self):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="cuebus-demo-"))
        self.running = []
        self.port = None

    def start(self, name, command, env=None):
        log = self.directory / f"{name}.log"
        with open(log, "wb") as stream:
            # A session of its own: Ctrl-C reaches this script only, which then
            # stops the gateway first and the broker last.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stream,
                                       stderr=stream, env=env, start_new_session=True)
        self.running.append((name, process))
        return process

    def log_of(self, name):
        return (self.directory / f"{name}.log").read_text("utf-8", "replace")

    def start_broker(self):
        program = shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin")
        if not program:
            fail("mosquitto is not installed; run scripts/setup --demo")
        for _ in range(10):
            self.port = free_port()
            config = self.directory / "mosquitto.conf"
            config.write_text(f"listener {self.port} 127.0.0.1\nallow_anonymous true\n"
                              "persistence false\nset_tcp_nodelay true\nlog_type error\n")
            process = self.start("mosquitto", [program, "-c", str(config)])
            while process.poll() is None:
                if answers(self.port):
                    return
                time.sleep(0.02)
            self.running.pop()
        fail("the broker does not start:\n" + self.log_of("mosquitto"))

    def start_gateway(self):
        env = dict(os.environ, CUEBUS_DEMO_PORT=str(self.port))
        config = self.directory / "cuebus.jsonc"
        shutil.copyfile(ROOT / "scripts" / "demo.jsonc", config)
        self.start("cuebus", [os.environ["CUEBUS"], "run", "-c", str(config)], env)

    def stop(self):
        for _, process in reversed(self.running):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(10)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        self.running = []
        shutil.rmtree(self.directory, ignore_errors=True)


def abbreviate(text, room):
    return text if len(text) <= room else text[: max(1, room - 1)] + "…"


def shorten_ids(value):
    """Shorten ids of 32 hex digits to their first 8, for people."""
    if isinstance(value, dict):
        return {k: shorten_ids(v) for k, v in value.items()}
    if isinstance(value, list):
        return [shorten_ids(v) for v in value]
    if isinstance(value, str) and len(value) == 32 and all(c in "0123456789abcdef" for c in value):
        return value[:8] + "…"
    return value


# The most useful fields come first.
FIRST = ("virtual_peripheral", "reason", "detail", "event_type", "offset", "late_us", "emitted_count", "data",
         "interrupt_event", "cause", "expected_duration", "playlist_name", "playlist_id")


def readable(data):
    data = shorten_ids(data)
    if isinstance(data, dict):
        for key in ("events", "sequence", "steps"):
            if isinstance(data.get(key), list):
                data[key] = f"{len(data[key])} …"
        if isinstance(data.get("virtual_peripheral"), dict):
            data["virtual_peripheral"] = data["virtual_peripheral"]["name"]
        order = [k for k in FIRST if k in data] + [k for k in data if k not in FIRST]
        data = {k: data[k] for k in order if data[k] is not None}
    return json.dumps(data, ensure_ascii=False, separators=(", ", ": "))


class Stream:
    """Prints what goes over MQTT, and waits for it."""

    def __init__(self, port, running):
        self.running = running
        self.condition = threading.Condition()
        self.events = []
        self.replies = {}
        self.online = False
        self.next_id = 0
        self.client = mqtt.Client(client_id="demo-session", protocol=mqtt.MQTTv5, **CALLBACKS)
        self.client.on_message = self._on_message
        self.client.on_connect = self._on_connect
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def _on_connect(self, client, userdata, flags, reason, properties):
        for below in ("status", "bus/#", "reply/#"):
            client.subscribe(f"{P}/{below}", options=SubscribeOptions(qos=1))

    def _on_message(self, client, userdata, message):
        below = message.topic[len(P) + 1:]
        text = message.payload.decode("utf-8", "replace")
        with self.condition:
            if below == "status":
                self.online = text == "online"
                self._print("P/status", text, "1")
            elif below.startswith("bus/"):
                event = json.loads(text)
                self.events.append(event)
                code = "35" if "/event/" in below or below.startswith("bus/event/") else "32"
                self._print("P/" + below, readable(event["data"]), code,
                            event["timestamp"][11:23])
            else:
                reply = json.loads(text)
                correlation = getattr(message.properties, "CorrelationData", b"")
                self.replies[correlation] = reply
                body = reply.get("result", reply.get("error"))
                word = "ok   " if reply["ok"] else "error"
                self._print("  reply", f"{word} {readable(body)}", "36" if reply["ok"] else "31")
            self.condition.notify_all()

    @staticmethod
    def _print(topic, text, code, clock=None):
        if clock is None:
            now = time.time()
            clock = time.strftime("%H:%M:%S", time.gmtime(now)) + ".%03d" % (now % 1 * 1000)
        head = f"{clock}  {topic:<34} "
        say(colour("2", clock) + "  " + colour(code, f"{topic:<34}") + " "
            + abbreviate(text, width() - len(head)))

    def wait(self, what, predicate):
        deadline = time.monotonic() + TIMEOUT_S
        with self.condition:
            while not predicate():
                for name, process in self.running.running:
                    if process.poll() is not None:
                        fail(f"{name} ended:\n{self.running.log_of(name)}")
                if time.monotonic() > deadline:
                    logs = "".join(f"\n{name}:\n{self.running.log_of(name)}"
                                   for name, _ in self.running.running)
                    fail(f"nothing came of {what}{logs}")
                self.condition.wait(0.2)

    def wait_offline(self):
        """As wait(), but the gateway may end."""
        with self.condition:
            if not self.condition.wait_for(lambda: not self.online, TIMEOUT_S):
                fail("the gateway did not say offline")

    def _is_there(self, event_type, since, fields):
        return any(e["event_type"] == event_type
                   and all(e["data"].get(k) == v for k, v in fields.items())
                   for e in self.events[since:])

    def event(self, event_type, since, **fields):
        self.wait(event_type, lambda: self._is_there(event_type, since, fields))

    def gesture(self, event_type, attempt):
        """Repeat the presses: on a busy machine they may come too far apart."""
        since = self.mark()
        for _ in range(9):
            attempt()
            with self.condition:
                if self.condition.wait_for(lambda: self._is_there(event_type, since, {}), 1):
                    return
        attempt()
        self.event(event_type, since)

    def mark(self):
        with self.condition:
            return len(self.events)

    def command(self, name, **request):
        self.next_id += 1
        correlation = b"%d" % self.next_id
        properties = Properties(PacketTypes.PUBLISH)
        properties.ResponseTopic = f"{P}/reply/demo"
        properties.CorrelationData = correlation
        payload = json.dumps(request)
        with self.condition:
            self._print(f"> P/cmd/{name}", payload, "33")
        self.client.publish(f"{P}/cmd/{name}", payload, qos=1, properties=properties)
        self.wait(f"the reply to {name}", lambda: correlation in self.replies)
        return self.replies[correlation]

    def emit(self, event_type, data=None):
        topic = f"{P}/emit/{event_type.replace('.', '/')}"
        payload = json.dumps(data)
        with self.condition:
            self._print(f"> P/emit/{event_type.replace('.', '/')}", payload, "33")
        self.client.publish(topic, payload, qos=1)

    def press(self, name, held_s=0.06):
        self.command("input/set", input=name, value=1)
        time.sleep(held_s)
        self.command("input/set", input=name, value=0)


def heading(text):
    say()
    say(colour("1", text))


def session(stream):
    heading("1. Two presses of the doorbell within 500 ms: a double tap")

    def twice():
        stream.press("doorbell")
        time.sleep(0.15)
        stream.press("doorbell")
    stream.gesture("button.double_tap", twice)

    heading("2. The Konami code on the pad; it starts the playlist `flash`")
    since = stream.mark()

    def code():
        for name in KONAMI:
            stream.press(name, 0.03)
    stream.gesture("konami.activated", code)
    stream.event("event.playlist.stopped", since, playlist_name="flash", reason="completed")

    heading("3. The event start.sequence starts the playlist `color.cycle`: an update a second")
    since = stream.mark()
    stream.emit("start.sequence")
    stream.event("event.playlist.emitted", since, repeat_index=1)

    heading("4. The event stop.sequence interrupts it")
    since = stream.mark()
    stream.emit("stop.sequence", {"by": "you"})
    stream.event("event.playlist.stopped", since, reason="interrupted")

    heading("5. Remote commands, each with its reply; the last one is wrong")
    since = stream.mark()
    stream.command("ping")
    run = stream.command("playlist/start", playlist="flash", trigger_data={"by": "remote"})
    stream.command("playlist/runs")
    stream.event("event.playlist.stopped", since, playlist_id=run["result"]["run"])
    stream.command("playlist/start", playlist="flesh")


def print_what_to_try(port):
    broker = f"-h 127.0.0.1 -p {port}"
    say(f"""
Broker and gateway go on running. Try, in other terminals:

  mosquitto_sub {broker} -v -t '{P}/bus/#'
  mosquitto_pub {broker} -t {P}/emit/start/sequence -n
  mosquitto_pub {broker} -t {P}/emit/stop/sequence -m '{{"by":"me"}}'
  mosquitto_sub {broker} -v -t '{P}/reply/#'
  mosquitto_pub {broker} -t {P}/cmd/playlist/start -m '{{"playlist":"flash","request_id":1}}'
  mosquitto_pub {broker} -t {P}/cmd/input/set -m '{{"input":"doorbell","value":1}}'

Stop both with: scripts/demo --stop""")


def keep(processes):
    KEPT.write_text(json.dumps({
        "directory": str(processes.directory),
        "processes": [[process.pid, process.args] for _, process in processes.running],
    }))


def is_still(pid, command):
    """Whether the process is the one that was started, and not a later one
    that got its number."""
    try:
        line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return False
    return line == [os.fsencode(word) for word in command]


def stop_kept():
    if not KEPT.exists():
        say("Nothing is running.")
        return
    kept = json.loads(KEPT.read_text())
    for pid, command in reversed(kept["processes"]):
        if is_still(pid, command):
            os.kill(pid, signal.SIGTERM)
            deadline = time.monotonic() + 10
            while is_still(pid, command) and time.monotonic() < deadline:
                time.sleep(0.05)
            if is_still(pid, command):
                os.kill(pid, signal.SIGKILL)
    shutil.rmtree(kept["directory"], ignore_errors=True)
    KEPT.unlink()
    say("Stopped.")


def any_kept():
    return KEPT.exists() and any(
        is_still(pid, command) for pid, command in json.loads(KEPT.read_text())["processes"])


def main():
    option = sys.argv[1] if len(sys.argv) > 1 else ""
    if option == "--stop":
        return stop_kept()
    if option == "--keep" and any_kept():
        fail("a demo is running already; stop it with: scripts/demo --stop")

    def interrupted(number, frame):
        raise SystemExit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    processes = Processes()
    stream = None
    kept = False
    try:
        processes.start_broker()
        say(f"A private broker on 127.0.0.1:{processes.port}, P = {P}. "
            "Lines with > are sent, the others received.")
        heading("0. The gateway starts")
        stream = Stream(processes.port, processes)
        processes.start_gateway()
        stream.wait("the gateway's start", lambda: stream.online)
        session(stream)
        if option == "--keep":
            print_what_to_try(processes.port)
            keep(processes)
            kept = True
        else:
            heading("The end: SIGTERM to the gateway")
            processes.running[-1][1].terminate()
            stream.wait_offline()
            say()
            say("That was all. scripts/demo --keep leaves it running for you to try.")
    finally:
        if stream:
            stream.close()
        if not kept:
            processes.stop()


if __name__ == "__main__":
    main()
