# SPDX-License-Identifier: Apache-2.0
"""In the guest: runs the gateway and moves the simulated lines, as test_gateway.py
on the host commands over MQTT.

    agent.py BROKER_PORT CUEBUS LIMIT_S

Topic agent/do: {"id": n, "do": [[operation, argument...], ...]}; answered on
agent/done: {"id": n, "results": [...]} or {"id": n, "error": text}. Files that
both sides see are in /run/out.
"""

import json
import os
import pathlib
import queue
import re
import signal
import subprocess
import sys
import time

import paho.mqtt.client as mqtt

# paho-mqtt 2 asks which arguments the callbacks take; 1.6 knows one kind only.
CALLBACKS = ({"callback_api_version": mqtt.CallbackAPIVersion.VERSION2}
             if hasattr(mqtt, "CallbackAPIVersion") else {})

OUT = pathlib.Path("/run/out")
LIMIT_S = float(sys.argv[3])  # for what should end soon
SIM = pathlib.Path("/sys/kernel/config/gpio-sim")
TRACING = pathlib.Path("/sys/kernel/tracing")
TRACED = re.compile(r"gpio_(?:value|direction): (\d+)\s+(set [01]|in|out)\b")
# gpiomon and gpioinfo of libgpiod 2 take the chip as an option and know no labels; those of
# 1.6 take it as an argument.
CHIP_OPTION = ["-c"] if b"--chip" in subprocess.run(["gpioinfo", "--help"], check=True,
                                                    stdout=subprocess.PIPE).stdout else []
LINES = {"DOORBELL": 0, "DIAL_A": 1, "DIAL_B": 2, "ESTOP": 3, "BOUNCY": 4, "BURST": 5}


class Agent:
    def __init__(self, cuebus):
        self.cuebus = cuebus
        self.gateway = None
        self.holder = None
        self.bases = self.find_bases()
        subprocess.run(["mount", "-t", "tracefs", "tracefs", str(TRACING)], check=True)
        (TRACING / "events/gpio/enable").write_text("1")
        self.pulls = {name: open(f"{os.environ['CUEBUS_SIM_A']}/sim_gpio{offset}/pull", "wb", 0)
                      for name, offset in LINES.items()}

    def set(self, line, value):
        """The time just before the line moved, in microseconds of CLOCK_MONOTONIC."""
        before = time.monotonic_ns() // 1000
        self.pulls[line].write(b"pull-up" if value else b"pull-down")
        return before

    def pull(self, chip, offset, value):
        """As set(), of any line."""
        before = time.monotonic_ns() // 1000
        (self.sim(chip) / f"sim_gpio{offset}" / "pull").write_text("pull-up" if value else "pull-down")
        return before

    def sleep(self, seconds):
        time.sleep(seconds)

    def burst(self, line, toggles, seconds):
        """Toggle, beginning with up."""
        for i in range(toggles):
            self.set(line, i % 2 == 0)
            time.sleep(seconds)

    def flap(self, line, edges, per_s):
        """Toggle that often, beginning with up, as evenly as the guest can. How long it took and
        the longest time between two edges, in microseconds."""
        begin = last = time.monotonic_ns()
        longest = 0
        for i in range(edges):
            while time.monotonic_ns() - begin < i * 1_000_000_000 // per_s:
                pass
            self.set(line, i % 2 == 0)
            now = time.monotonic_ns()
            longest, last = max(longest, now - last), now
        return [(last - begin) // 1000, longest // 1000]

    def set_clock(self, by_s):
        """The guest's wall clock, forward or back."""
        time.clock_settime(time.CLOCK_REALTIME, time.clock_gettime(time.CLOCK_REALTIME) + by_s)

    def start(self, *before):
        """`before`: a command that runs it, as setpriv does."""
        with open(OUT / "cuebus.log", "ab") as log:
            self.gateway = subprocess.Popen([*before, self.cuebus, "run", "-c", str(OUT / "cuebus.json")],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def stop(self):
        """SIGTERM; the exit code."""
        self.gateway.terminate()
        return self.gateway.wait(LIMIT_S)

    def pause(self):
        """Until this returns the process may still run."""
        self.gateway.send_signal(signal.SIGSTOP)
        status = pathlib.Path(f"/proc/{self.gateway.pid}/stat")
        while status.read_text().rsplit(")", 1)[1].split()[0] != "T":
            time.sleep(0.001)

    def go_on(self):
        self.gateway.send_signal(signal.SIGCONT)

    def kill(self):
        self.gateway.kill()
        self.gateway.wait(LIMIT_S)

    def value(self, chip, offset):
        """What a line is driven to."""
        return int(self.sim(chip).joinpath(f"sim_gpio{offset}/value").read_text())

    def trace(self):
        """What happened to lines since the last call: [chip, offset, "set 1" | "out" | "in"]."""
        path = TRACING / "trace"
        lines = path.read_text().splitlines()
        path.write_text("")
        found = []
        for line in lines:
            if match := TRACED.search(line):
                number = int(match[1])
                chip, base = max((c for c in self.bases if c[1] <= number), key=lambda c: c[1])
                found.append([chip, number - base, match[2]])
        return found

    @staticmethod
    def sim(chip):
        """The chip's folder; after it was away it may be another one."""
        configured = SIM / chip
        return (pathlib.Path("/sys/devices/platform") / (configured / "dev_name").read_text().strip()
                / (configured / "bank/chip_name").read_text().strip())

    @staticmethod
    def find_bases():
        """(chip, number of its first line in the kernel's trace)"""
        found = []
        for path in pathlib.Path("/sys/class/gpio").glob("gpiochip*"):
            found.append(((path / "label").read_text().strip(), int((path / "base").read_text())))
        return found

    def run(self, config, *before):
        """A gateway that can't start; its exit code and what it said. `config`: the text, or what
        is written as JSON; `before` as in start()."""
        path = OUT / "other.json"
        path.write_text(config if isinstance(config, str) else json.dumps(config))
        done = subprocess.run([*before, self.cuebus, "run", "-c", str(path)], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT_S)
        return [done.returncode, done.stdout.decode("utf-8", "replace")]

    def output(self, command):
        """What a command of the shell prints; it must succeed."""
        return subprocess.run(["bash", "-c", command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              check=True, timeout=LIMIT_S).stdout.decode()

    def hold(self, offset):
        """Hold a line of cuebus-a in another program until release()."""
        self.holder = subprocess.Popen(["gpiomon", *CHIP_OPTION, self.sim("cuebus-a").name, str(offset)],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        while "gpiomon" not in self._info(offset):
            time.sleep(0.01)

    def release(self):
        self.holder.terminate()
        self.holder.wait()

    def _info(self, offset):
        text = subprocess.run(["gpioinfo", *CHIP_OPTION, self.sim("cuebus-a").name],
                              stdout=subprocess.PIPE, check=True).stdout
        return next(line for line in text.decode().splitlines() if f"line {offset:3}:" in line)

    def live(self, chip, value):
        (SIM / chip / "live").write_text(str(value))
        self.bases = self.find_bases()

    def quit(self):
        """Says goodbye before it goes."""
        if self.gateway and self.gateway.poll() is None:
            self.gateway.kill()


def main():
    agent = Agent(sys.argv[2])
    requests = queue.Queue()
    client = mqtt.Client(client_id="agent", **CALLBACKS)
    client.on_message = lambda c, userdata, message: requests.put(message.payload)
    client.on_connect = lambda c, *_: c.subscribe("agent/do", 1)
    client.on_subscribe = lambda c, *_: c.publish("agent/done", '{"id":0}', 1)
    client.connect("10.0.2.2", int(sys.argv[1]))
    client.loop_start()
    while True:
        request = json.loads(requests.get())
        answer = {"id": request["id"]}
        try:
            answer["results"] = [getattr(agent, name)(*args) for name, *args in request["do"]]
        except Exception as error:  # the host reports it
            answer["error"] = repr(error)
        client.publish("agent/done", json.dumps(answer), 1).wait_for_publish()
        if request["do"][-1] == ["quit"]:
            client.disconnect()
            return


main()
