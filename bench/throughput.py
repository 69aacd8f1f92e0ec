#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Messages per second from the bus to a subscriber, beside bare paho's on the same broker.

    throughput.py CUEBUS BENCH_PAHO [--count N] [--rounds N] [--also CUEBUS]

One mosquitto and one subscriber; in each round paho and the gateway take turns, at QoS 0, at
QoS 1, and at QoS 1 with the outbox on disk. Printed are the ratios of the gateway's rate to
paho's in the same round: median, least and most. The gateway publishes what playlists emit.
--also measures a second gateway in the same turns.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ.setdefault("CUEBUS", sys.argv[1] if len(sys.argv) > 1 else "")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/integration"))
from mqtt_broker import Broker  # noqa: E402

RUNS = 4  # playlists that emit at the same time
LINES = ("allow_anonymous true", "max_queued_messages 0", "max_inflight_messages 0",
         "max_packet_size 1000000")
PAYLOAD = 230  # bytes of an envelope as the gateway makes it here


def subscriber(broker, topic, qos, count):
    """A mosquitto_sub that ends after `count` messages."""
    process = subprocess.Popen(
        ["mosquitto_sub", "-p", str(broker.port), "-t", topic, "-q", str(qos), "-C", str(count),
         "-F", "%l"], stdout=subprocess.PIPE)
    return process


def rate(process, start, count, stop):
    """Messages per second from the first to the last."""
    first = None
    start()
    for i, _ in enumerate(process.stdout):
        if i == count // 10:
            first = time.monotonic()
    last = time.monotonic()
    process.wait()
    stop()
    return (count - count // 10) / (last - first)


def paho(program, broker, qos, count):
    process = subscriber(broker, "bench/paho", qos, count)
    time.sleep(0.3)
    started = []
    return rate(process, lambda: started.append(subprocess.Popen(
        [program, f"tcp://127.0.0.1:{broker.port}", "bench/paho", str(qos), str(count),
         str(PAYLOAD)])), count, lambda: started[0].wait())


def configuration(broker, qos, state_dir, count, has_limits):
    # Each run as fast as the engine goes: everything is overdue at once.
    step = {"emit": "bench.step", "data": {"value": 1}, "repeat": count // RUNS, "interval": "1us"}
    limits = {"queue_events": 10000000, "outbox_events": 100000000}
    if has_limits:
        limits.update({"events_per_second": 10000000, "shortest_interval": "1us"})
    gateway = {"id": "bench"}
    if state_dir:
        gateway["state_dir"] = state_dir
    return {
        "gateway": gateway,
        "limits": limits,
        "mqtt": {"url": f"mqtt://127.0.0.1:{broker.port}",
                 "qos": {"event.*": "off", "go": "off", "bench.step": qos}},
        "playlists": {f"p{i}": {"trigger": "go", "steps": [step]} for i in range(RUNS)},
    }


def gateway(program, broker, folder, qos, on_disk, count):
    state = tempfile.mkdtemp(dir=folder) if on_disk else None
    path = pathlib.Path(folder, "bench.json")
    for has_limits in (True, False):
        path.write_text(json.dumps(configuration(broker, qos, state, count, has_limits)))
        if subprocess.run([program, "check", path], capture_output=True).returncode == 0:
            break
    process = subprocess.Popen([program, "run", "-c", path], stderr=subprocess.DEVNULL)
    subprocess.run(["mosquitto_sub", "-p", str(broker.port), "-t", "cuebus/1/bench/status", "-C", "1",
                    "-W", "60"], stdout=subprocess.DEVNULL, check=True)
    sub = subscriber(broker, "cuebus/1/bench/bus/bench/step", qos, count)
    time.sleep(0.5)

    def stop():
        process.terminate()
        process.wait()

    return rate(sub, lambda: subprocess.run(
        ["mosquitto_pub", "-p", str(broker.port), "-t", "cuebus/1/bench/emit/go", "-n"], check=True),
        count, stop)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("cuebus")
    parser.add_argument("bench_paho")
    parser.add_argument("--count", type=int, default=100000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--also")
    options = parser.parse_args()
    programs = [options.cuebus] + ([options.also] if options.also else [])
    with tempfile.TemporaryDirectory() as folder:
        broker = Broker(folder, LINES).start()
        try:
            for name, qos, on_disk in (("QoS 0", 0, False), ("QoS 1", 1, False),
                                       ("QoS 1 on disk", 1, True)):
                ratios = {program: [] for program in programs}
                for _ in range(options.rounds):
                    base = paho(options.bench_paho, broker, qos, options.count)
                    for program in programs:
                        ratios[program].append(gateway(program, broker, folder, qos, on_disk,
                                                       options.count) / base)
                for program, found in ratios.items():
                    print(f"{name:14} {statistics.median(found):5.2f} of paho "
                          f"({min(found):.2f} to {max(found):.2f})  {program}", flush=True)
        finally:
            broker.stop()


if __name__ == "__main__":
    main()
