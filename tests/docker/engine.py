# SPDX-License-Identifier: Apache-2.0
"""The containers of this test's own Compose project, over the engine's socket."""

import http.client
import io
import json
import pathlib
import re
import socket
import tarfile
import time
import urllib.parse

from harness import TIMEOUT_S, until

SOCKET = "/var/run/docker.sock"
STOP_TIMEOUT_S = 60


class _Connection(http.client.HTTPConnection):
    def __init__(self):
        super().__init__("engine", timeout=TIMEOUT_S + STOP_TIMEOUT_S)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(SOCKET)


def _call(method, path, query=None):
    connection = _Connection()
    try:
        connection.request(method, f"{path}?{urllib.parse.urlencode(query or {})}")
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status >= 400:
        raise AssertionError(f"the engine refused {method} {path}: {response.status} {body!r}")
    return body


def _own_project():
    """Compose labels its containers; the files that Docker mounts into each contain its id."""
    mounts = pathlib.Path("/proc/self/mountinfo").read_text()
    container = re.search(r"/containers/([0-9a-f]{64})/", mounts)[1]
    labels = json.loads(_call("GET", f"/containers/{container}/json"))["Config"]["Labels"]
    return labels["com.docker.compose.project"]


class Container:
    """The container of one service."""

    _project = None

    def __init__(self, service):
        if Container._project is None:
            Container._project = _own_project()
        labels = [f"com.docker.compose.project={Container._project}",
                  f"com.docker.compose.service={service}", "com.docker.compose.oneoff=False"]
        found = json.loads(_call("GET", "/containers/json",
                                 {"all": 1, "filters": json.dumps({"label": labels})}))
        if len(found) != 1:
            raise AssertionError(f"{len(found)} containers of service {service}")
        self.service = service
        self.path = "/containers/" + found[0]["Id"]

    def inspect(self):
        return json.loads(_call("GET", self.path + "/json"))

    @property
    def state(self):
        return self.inspect()["State"]

    @property
    def health(self):
        return self.state["Health"]["Status"]

    def wait_health(self, wanted):
        try:
            until(f"{self.service} is {wanted}", lambda: self.health == wanted,
                  timeout_s=4 * TIMEOUT_S)
        except AssertionError as error:
            raise AssertionError(f"{error}: {self.state}") from None

    def start(self):
        _call("POST", self.path + "/start")

    def stop(self):
        """Stop it with SIGTERM, within STOP_TIMEOUT_S. Returns the seconds it took."""
        begin = time.monotonic()
        _call("POST", self.path + "/stop", {"t": STOP_TIMEOUT_S})
        return time.monotonic() - begin

    def kill(self):
        _call("POST", self.path + "/kill", {"signal": "SIGKILL"})
        until(f"{self.service} is dead", lambda: not self.state["Running"])

    def pause(self):
        _call("POST", self.path + "/pause")

    def unpause(self):
        _call("POST", self.path + "/unpause")

    def copy(self, path, directory):
        """A folder of the container (also of one that is not running) to below `directory`."""
        body = _call("GET", self.path + "/archive", {"path": path})
        with tarfile.open(fileobj=io.BytesIO(body)) as archive:
            archive.extractall(directory)
        return pathlib.Path(directory) / pathlib.PurePath(path).name
