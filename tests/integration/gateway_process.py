# SPDX-License-Identifier: Apache-2.0
"""A cuebus of the test's own, and a configuration for it."""

import json
import os
import pathlib
import shlex
import subprocess

from environment import CUEBUS, GATEWAY_ID, IS_V5, TIMEOUT_S, mortal


def base_config(port, state_dir=None):
    config = {
        "version": 1,
        "gateway": {"id": GATEWAY_ID, "health_interval": "500ms"},
        "mqtt": {
            "url": f"mqtt://127.0.0.1:{port}",
            "protocol": 5 if IS_V5 else "3.1.1",
            "reply_prefixes": ["clients/"],
            "remote": {"cmd": "admin"},
            "qos": {"quiet.*": "off", "color.update": 0},
        },
        "limits": {"payload_bytes": 4096},
        "inputs": {
            "pad": {"driver": "sim", "kind": "button", "producer_id": 7, "event": "button.press",
                    "release_event": "button.release", "data": {"code": "up"}},
            "estop": {"driver": "sim", "kind": "switch", "producer_id": 3, "event": "estop.changed"},
            "dial": {"driver": "sim", "kind": "rotary", "producer_id": 2, "event": "dial.turned"},
            "rain": {"driver": "sim", "kind": "counter", "producer_id": 9, "event": "rain.pulse"},
        },
        "gestures": {
            "button.double": {"type": "double_tap", "source": "button.press", "window": "30s",
                              "emit": "button.double_tap", "metadata": {"gesture": "double"}},
            "sensor.pair": {"type": "simultaneous", "source": "sensor.trigger", "window": "30s",
                            "required_sources": 2, "emit": "sensor.combo"},
            "lock": {"type": "sequence", "timeout": "60s", "emit": "lock.opened", "steps": [
                {"event": "key.press", "match": {"key": 1}},
                {"event": "key.press", "match": {"key": 2}}]},
            "mic.gated": {"type": "gated_mirror", "gate": ["mic.toggle"], "mirror": ["mic.level"],
                          "emit": "mic.level.gated", "output_producer_id": 99},
            "flash.on.door": {"type": "gated_playlist", "gate": ["door.changed"],
                              "playlist": "flash", "cancel_active_runs": True},
        },
        "playlists": {
            "color.cycle": {
                "trigger": "start.sequence",
                "interrupts": ["stop.sequence",
                               {"event": "heart.rate", "match": {"bpm": {"gt": 180}}}],
                "completion": "color.cycle.complete", "metadata": {"feature": "color"},
                "steps": [{"emit": "color.update", "data": {"value": 7}, "repeat": 3,
                           "interval": "20ms", "producer_id": 5},
                          {"emit": "horn.beep", "offset": "30ms"}]},
            "long": {"trigger": "long.start", "interrupts": ["stop.sequence"],
                     "steps": [{"emit": "long.tick", "repeat": 3600, "interval": "1s"}]},
            "only": {"mode": "single", "steps": [{"emit": "only.tick", "repeat": 3600,
                                                  "interval": "1s"}]},
            "burst": {"steps": [{"emit": "burst.tick", "repeat": 200, "interval": "10ms"}]},
            "flash": {"steps": [{"emit": "lamp.set", "data": {"on": True}},
                                {"emit": "lamp.set", "data": {"on": False}, "offset": "20ms"}]},
        },
    }
    if state_dir:
        config["gateway"]["state_dir"] = str(state_dir)
    return config


class Gateway:
    def __init__(self, directory, config):
        self.directory = pathlib.Path(directory)
        self.path = self.directory / "cuebus.json"
        self.write(config)
        self.process = None
        self.starts = 0

    def write(self, config):
        text = config if isinstance(config, str) else json.dumps(config, indent=2)
        self.path.write_text(text)

    @property
    def log_path(self):
        return self.directory / f"cuebus-{self.starts}.log"

    def log(self):
        return self.log_path.read_text("utf-8", "replace")

    def start(self, environment=None):
        self.starts += 1
        command = shlex.split(os.environ.get("CUEBUS_WRAPPER", ""))
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                mortal(command + [CUEBUS, "run", "-c", str(self.path)]),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=dict(os.environ, **(environment or {})),
            )
        return self

    def signal(self, number):
        self.process.send_signal(number)

    def stop(self):
        """SIGTERM; the exit code must be 0 (a wrapper's findings make it another)."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
        self.wait()

    def wait(self):
        try:
            code = self.process.wait(TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError("the gateway did not end on SIGTERM:\n" + self.log()) from None
        finally:
            process, self.process = self.process, None
        if code != 0:
            raise AssertionError(f"the gateway ended with {code}:\n{self.log()}")
        return process

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None
