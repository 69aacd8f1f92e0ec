# SPDX-License-Identifier: Apache-2.0
"""A rig for a machine without bridge networks: what `docker-compose config` made
of the shipped files, on standard input, with all services in one network
namespace that has a loopback and nothing else.

Each service is an address of that loopback, by its own name; nothing is
published and no network is made. All else stays as it was.
"""

import sys

import yaml

BROKER = "eclipse-mosquitto:2"


def share(rig):
    services = rig["services"]
    addresses = {name: f"127.0.1.{n}" for n, name in enumerate(sorted(services), 1)}
    for name, service in services.items():
        if service.get("network_mode") == "none":
            continue
        service.pop("networks", None)
        service.pop("ports", None)
        service["network_mode"] = "service:loopback"
        if service["image"] == BROKER:
            service.setdefault("environment", {})["LISTEN_ADDRESS"] = addresses[name]
    services["loopback"] = {
        "image": "debian:bookworm-slim",
        "command": ["sleep", "infinity"],
        "stop_signal": "SIGKILL",
        "network_mode": "none",
        "extra_hosts": [f"{name}:{address}" for name, address in addresses.items()],
    }
    rig.pop("networks", None)
    return rig


yaml.safe_dump(share(yaml.safe_load(sys.stdin)), sys.stdout)
