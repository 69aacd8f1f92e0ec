# SPDX-License-Identifier: Apache-2.0
"""Claims of the documents about the program and the repository: options, exit codes, log lines,
bounds, paths, links, tests."""

import errno
import json
import os
import re
import subprocess

from claims import ROOT, code_names, constants, source_texts
from time_limits import limit_s

# (document, text, constant, file's stem or None, what it must be)
BOUNDS = (
    ("docs/operations.md", "| files in `conf.d` | 1,024 |", "CONFIG_D_FILES_MAX", None, 1024),
    ("docs/operations.md", "| findings of one check | 1,000 |", "FINDINGS_MAX", "diag", 1000),
    ("docs/operations.md", "| one number in JSON | 63 characters |", "CUE_JSON_NUMBER_MAX", None, 63),
    ("docs/configuration.md", "numbers of more than 63 characters", "CUE_JSON_NUMBER_MAX", None, 63),
    ("docs/operations.md", "| requests remembered for 60 s | 65,536, 16 MiB", "MEMORY_ENTRIES", "commands", 65536),
    ("docs/operations.md", "| requests remembered for 60 s | 65,536, 16 MiB", "MEMORY_BYTES", "commands", 16 << 20),
    ("docs/operations.md", "with `gateway.state_dir`, the newest 1,000 |", "COMMAND_NOTES_MAX", None, 1000),
    ("docs/operations.md", "| their replies | 16 MiB; over a restart 1 KiB each", "COMMAND_NOTE_REPLY_MAX", None, 1024),
    ("docs/operations.md", "| requests remembered for 60 s |", "COMMAND_MEMORY_NS", None, 60 * 10**9),
    ("docs/topics.md", "65,536 requests and 16 MiB", "MEMORY_BYTES", "commands", 16 << 20),
    ("docs/operations.md", "| 256 bytes and 32 levels |", "TOPIC_REPLY_BYTES", None, 256),
    ("docs/operations.md", "| 256 bytes and 32 levels |", "TOPIC_REPLY_LEVELS", None, 32),
    ("docs/topics.md", "at most 256 bytes and 32 levels", "TOPIC_REPLY_LEVELS", None, 32),
    ("docs/operations.md", "| 254 bytes as it is written |", "REQUEST_ID_MAX", None, 254),
    ("docs/topics.md", "at most 254 bytes as it is written", "REQUEST_ID_MAX", None, 254),
    ("docs/operations.md", "| replies that wait to be sent | 10,000, 16 MiB, 60 s |", "OUTBOX_REPLIES_MAX", None,
     10000),
    ("docs/operations.md", "| replies that wait to be sent | 10,000, 16 MiB, 60 s |", "OUTBOX_REPLIES_BYTES", None,
     16 << 20),
    ("docs/operations.md", "| replies that wait to be sent | 10,000, 16 MiB, 60 s |", "OUTBOX_REPLY_AGE_NS", None,
     60 * 10**9),
    ("docs/topics.md", "a reply waits at most 50 ms", "OUTBOX_REPLY_PATIENCE_NS", None, 50 * 10**6),
    ("docs/operations.md", "that wait for the disk | 1,024 |", "HELD_MAX", "bridge_held", 1024),
    ("docs/operations.md", "| one reply to `state/get` | 1 MiB |", "STATE_REPLY_MAX", None, 1 << 20),
    ("docs/operations.md", "| 4 of each file, 64 of the definitions |", "STATE_FILE_COPIES_MAX", None, 4),
    ("docs/operations.md", "| 4 of each file, 64 of the definitions |", "DEFINITION_COPIES_MAX", None, 64),
    ("docs/operations.md", "| one definition: steps, filters | 10,000, 1,000 |", "PLAYLIST_STEPS_MAX", None, 10000),
    ("docs/operations.md", "| one definition: steps, filters | 10,000, 1,000 |", "PLAYLIST_FILTERS_MAX", None, 1000),
    ("docs/operations.md", "for its debounce | 32 |", "PAST_INTERRUPTS_MAX", None, 32),
    ("docs/operations.md", "| 1,024 and 1 MiB of data for one gesture", "CUE_GESTURE_HELD_MAX", None, 1024),
    ("docs/operations.md", "| 1,024 and 1 MiB of data for one gesture", "CUE_GESTURE_HELD_BYTES_MAX", None, 1 << 20),
    ("docs/operations.md", "16,384 and 8 MiB for all", "CUE_GESTURES_HELD_MAX", None, 16384),
    ("docs/operations.md", "16,384 and 8 MiB for all", "CUE_GESTURES_HELD_BYTES_MAX", None, 8 << 20),
    ("docs/operations.md", "| data of a gesture's event | 8 MiB |", "CUE_GESTURE_PAYLOAD_MAX", None, 8 << 20),
    ("docs/operations.md", "| one row of `outbox.db` | 64 MiB |", "ROW_BYTES_MAX", None, 64 << 20),
    ("docs/operations.md", "waiting to be announced | 1,024 |", "OUTBOX_GAPS_MAX", None, 1024),
    ("docs/operations.md", "At most 1,024 ranges are kept", "OUTBOX_GAPS_MAX", None, 1024),
    ("docs/operations.md", "1,000 cleared after each connect, none of more than 32", "EGRESS_CLEAR_MAX", None, 1000),
    ("docs/operations.md", "1,000 cleared after each connect, none of more than 32", "EGRESS_CLEAR_LEVELS", None, 32),
    ("docs/topics.md", "1,000 for each connect, none of more than 32 levels", "EGRESS_CLEAR_MAX", None, 1000),
    ("docs/operations.md", "one in 1 s, growing to one in 60 s", "STATUS_DELAY_MIN_NS", None, 10**9),
    ("docs/operations.md", "one in 1 s, growing to one in 60 s", "STATUS_DELAY_MAX_NS", None, 60 * 10**9),
    ("docs/operations.md", "| addresses of the broker's name | 8 |", "BROKER_ADDRESSES_MAX", None, 8),
    ("docs/operations.md", "| edges of one input in one wake-up | 4,096 |", "EDGES_PER_INPUT_MAX", None, 4096),
    ("docs/operations.md", "4,096 steps or 5 ms of each kind", "SERVICE_SLICE_NS", None, 5 * 10**6),
    ("docs/operations.md", "are overdue by more than 20 ms", "OVERLOAD_NS", None, 20 * 10**6),
    ("docs/operations.md", "connects again after 20 s; the third time", "ACK_TIMEOUT_NS", None, 20 * 10**9),
    ("docs/operations.md", "5 s for what waits, 3 s for the disk", "FLUSH_NS", "service", 5 * 10**9),
    ("docs/operations.md", "5 s for what waits, 3 s for the disk", "DISK_FLUSH_NS", "service", 3 * 10**9),
    ("docs/operations.md", "or has hung for 10 s", "READY_LATEST_NS", None, 10 * 10**9),
    ("docs/operations.md", "again after 1 s, 2 s, … 30 s", "RETRY_MAX_NS", None, 30 * 10**9),
    ("docs/operations.md", "is tried again every", "DEFINITION_RETRY_NS", None, 30 * 10**9),
    ("docs/operations.md", "A copy of up to 16 MiB is kept", "LOG_COPY_MAX", None, 16 << 20),
    ("docs/operations.md", "That is forgotten after an hour", "SUSPECT_MEMORY_NS", None, 3600 * 10**9),
    ("docs/operations.md", "cascade of events that takes longer", "GROUP_NS", "service_wake", 100 * 10**6),
    ("docs/topics.md", "at most five times a second", "VIEWS_INTERVAL_NS", None, 200 * 10**6),
    ("docs/topics.md", "and the newest 100", "VIEW_RUNS_MAX", None, 100),
    ("docs/topics.md", "1 to 8 segments of `[a-z0-9_-]+` joined by dots, 128", "CUE_TYPE_MAX_SEGMENTS", None, 8),
    ("docs/topics.md", "1 to 8 segments of `[a-z0-9_-]+` joined by dots, 128", "CUE_TYPE_MAX_LEN", None, 128),
    ("docs/topics.md", "when `stopped` is absent 5 s after", "CUE_OVERDUE_AFTER_NS", None, 5 * 10**9),
    ("docs/playlists.md", "When it is absent 5 s", "CUE_OVERDUE_AFTER_NS", None, 5 * 10**9),
    ("docs/configuration.md", "and 10 years at most", "CUE_DURATION_MAX_NS", None, 3650 * 86400 * 10**9),
    ("docs/configuration.md", "at most 16 deep and has at most 256 values", "CUE_PREDICATE_DEPTH_MAX", None, 16),
    ("docs/configuration.md", "at most 16 deep and has at most 256 values", "CUE_PREDICATE_VALUES_MAX", None, 256),
    ("docs/configuration.md", "still for 400 ms", "ROTARY_REST_NS", None, 400 * 10**6),
    ("docs/configuration.md", "every 5 seconds at most while it changes", "INPUT_JOURNAL_REST_NS", None, 5 * 10**9),
)
# (document, text, file, text in it)
FILES = (
    ("docs/operations.md", "| watchdog | 30 s (`WatchdogSec=`)", "packaging/cuebus.service.in", "WatchdogSec=30s"),
    ("docs/operations.md", "not after a wrong configuration (78) or wrong usage (64)", "packaging/cuebus.service.in",
     "RestartPreventExitStatus=64 78"),
    ("docs/operations.md", "`cuebus run -c /etc/cuebus/cuebus.json` as the user `cuebus`",
     "packaging/cuebus.service.in", "User=cuebus"),
    ("docs/install.md", "every two seconds, so it is enough", "packaging/cuebus.service.in", "RestartSec=2s"),
    ("docs/install.md", "adds the user `cuebus` to it", "packaging/cuebus.sysusers", "\nm cuebus gpio"),
    ("docs/install.md", "udev rule that gives it `/dev/gpiochip*`", "packaging/60-cuebus.rules",
     'KERNEL=="gpiochip[0-9]*", GROUP="gpio", MODE="0660"'),
    ("docs/install.md", "The rule applies at once to existing chips", "packaging/deb/postinst",
     "udevadm trigger --action=change --subsystem-match=gpio"),
    ("docs/containers.md", "| user | 10001:10001", "docker/Dockerfile", "USER 10001:10001"),
    ("docs/containers.md", "`cuebus healthcheck` every 10 s", "docker/Dockerfile", "HEALTHCHECK --interval=10s"),
    ("docs/containers.md", "`unhealthy` after three failures", "docker/Dockerfile", "--retries=3"),
    ("docs/fleet.md", "MQTT 5 on the bridge", "docker/fleet/site.conf", "bridge_protocol_version mqttv50"),
    ("docs/fleet.md", "`max_queued_messages 0`", "docker/fleet/site.conf", "max_queued_messages 0"),
    ("docs/fleet.md", "(`notifications_local_only`)", "docker/fleet/site.conf", "notifications_local_only"),
    ("docs/fleet.md", "(10 s); what it had taken", "docker/fleet/site.conf", "autosave_interval 10"),
)
ROOMS = "bus|drivers|gateway|schemas|docs|tests|bench|scripts|docker|packaging|cmake|fleet|examples"
KINDS = "lint|unit|property|trace|check|schema|docs|integration|fault|service|package|gpio|cli"
# Under these a document's shorter paths begin.
BELOW = ("", "docs", "docker", "docs/examples")


def plain(text):
    return [word.strip(";:,") for word in text.split()]


def literal(said, there):
    """How many of these words begin that text as they are; one or two may stand where it has a
    conversion. None: it begins otherwise."""
    if not said or not there:
        return None if said else 0
    if "\0" in there[0]:
        rest = [literal(said[n:], there[1:]) for n in (1, 2) if len(said) >= n]
        return max((n for n in rest if n is not None), default=None)
    rest = literal(said[1:], there[1:]) if said[0] == there[0] else None
    return None if rest is None else rest + 1


def has_words(text, said):
    """Whether the words occur in this order in the text, two thirds of them unchanged."""
    there = plain(text)
    return any(3 * (literal(said, there[n:]) or 0) >= 2 * len(said) for n in range(len(there)))


class ProgramClaims:
    def __init__(self, claims, documents, cuebus):
        self.claims = claims
        self.documents = documents
        self.cuebus = cuebus

    def check(self):
        self.options()
        self.exit_codes()
        self.log_lines()
        self.bounds()
        self.paths()
        self.links()
        self.tests()
        self.presets()

    def output(self, *arguments):
        return subprocess.run([self.cuebus, *arguments], capture_output=True, check=True, text=True,
                              timeout=limit_s(60)).stdout

    # ---- the command line ----

    def options(self):
        """Each option in a `cuebus …` is one of that command's --help."""
        for document in self.documents.values():
            said = list(document.spans()) + [(document.place(n), line) for n, line in document.blocks]
            for place, text in said:
                for call in re.finditer(r"(?:^|[$ ])cuebus (run|check|simulate|schema|healthcheck|--\w+)"
                                        r"([^|;&]*)", text):
                    word = call[1]
                    known = self.output("--help") + (self.output(word, "--help") if word[0] != "-" else "")
                    for option in re.findall(r"(?<![\w-])--?[a-z][\w-]*", " ".join(call.group(1, 2))):
                        self.claims.check(place, f"cuebus {word} has {option}",
                                          re.search(rf"(?<![\w-]){option}(?![\w-])", known) is not None)

    def exit_codes(self):
        document = self.documents["docs/operations.md"]
        text = re.search(r"Exit codes are those of sysexits:\n\n(.*?)\n\n", document.text, re.S)[1]
        said = {int(n) for n in re.findall(r"\b(0|6\d|7\d)\b", text)}
        known = {int(n) for n in re.findall(r"\b(0|6\d|7\d)\b",
                                            self.output("--help").partition("Exit codes")[2])}
        place = document.find("Exit codes are those of sysexits")
        for code in sorted(said | known):
            self.claims.check(place, f"exit code {code}", code in said and code in known)
        tries = ((0, ["--version"]), (64, ["nonsense"]), (64, ["check"]), (78, ["check", os.devnull]),
                 (66, ["simulate", str(ROOT / "docs/examples/konami.jsonc"), "--input", "/nowhere.trace"]),
                 (65, ["simulate", str(ROOT / "docs/examples/konami.jsonc"), "--input", __file__]))
        for code, arguments in tries:
            result = subprocess.run([self.cuebus, *arguments], capture_output=True, timeout=limit_s(60))
            self.claims.check(place, f"exit code {code} of {arguments[0]}", result.returncode == code,
                              f"it is {result.returncode}")

    def log_lines(self):
        """A text that "the log says" is in the sources, or is one of the system."""
        texts = [re.sub(r"%[-+ #0-9.*]*(?:hh|h|ll|l|z|j|t)?[a-zA-Z]", "\0", text) for text in source_texts()]
        system = {os.strerror(n) for n in errno.errorcode}
        rows = [row for d in self.documents.values() for row in d.rows() if row.head[0] == "the log says"]
        for row in rows:
            for said in code_names(row.cells[0]):
                parts = [plain(part) for part in said.split("…")]
                found = said in system or any(all(map(lambda p: has_words(text, p), parts)) for text in texts)
                self.claims.check(row.place, f"the log may say {said}", found)

    # ---- bounds ----

    def bounds(self):
        known = constants()
        for name, text, constant, stem, value in BOUNDS:
            place = self.documents[name].find(text)
            found = {v for (s, n), v in known.items() if n == constant and stem in (None, s)}
            self.claims.check(place or name, f"{text} ({constant})", place is not None and found == {value},
                              f"{constant} is {found}" if place else "the document has no such text: look again")
        for name, text, path, wanted in FILES:
            place = self.documents[name].find(text)
            self.claims.check(place or name, f"{text} ({path})",
                              place is not None and wanted in (ROOT / path).read_text("utf-8"),
                              "" if place else "the document has no such text: look again")

    # ---- the repository ----

    def paths(self):
        for document in self.documents.values():
            for place, span in document.spans():
                path = re.match(rf"(?:{ROOMS})/[\w.*<>/-]*$|scripts/[\w-]+", span)
                if not path or span.startswith("fleet/<") or span.endswith("/.env"):
                    continue
                glob = re.sub(r"<[^>]*>", "*", path[0]).rstrip("/")
                self.claims.check(place, f"path {span}",
                                  any(list((ROOT / below).glob(glob)) for below in BELOW))

    def links(self):
        for document in self.documents.values():
            for place, _, target in document.links():
                if "://" in target:
                    continue
                path, _, anchor = target.partition("#")
                file = (document.path.parent / path).resolve() if path else document.path
                holds = file.exists()
                if holds and anchor:
                    other = self.documents.get(str(file.relative_to(ROOT)))
                    holds = other is not None and anchor in other.anchors()
                self.claims.check(place, f"link {target}", holds)

    def tests(self):
        """Each test that is named is one of ctest's; `….mqtt5` and `.mqtt3.1.1` may be left out."""
        printed = subprocess.run([os.environ["CTEST"], "--test-dir", os.environ["BUILD_DIR"],
                                  "--show-only=json-v1"], capture_output=True, check=True, timeout=limit_s(60)).stdout
        known = {test["name"] for test in json.loads(printed)["tests"]}
        for document in self.documents.values():
            for place, span in document.spans():
                if re.fullmatch(rf"({KINDS})\.[a-z_]\w*", span) and not span.endswith((".py", ".c", ".md", ".h")):
                    both = {f"{span}.mqtt5", f"{span}.mqtt3.1.1"}
                    self.claims.check(place, f"test {span}", span in known or both <= known)
        for name in ("docs/topics.md", "docs/operations.md"):
            for row in self.documents[name].rows("Promises"):
                self.claims.check(row.place, f"{row.cells[0]} has a test",
                                  len(row.cells) == 3 and re.search(rf"`({KINDS})\.", row.cells[2]) is not None)

    def presets(self):
        known = {p["name"] for p in json.loads((ROOT / "CMakePresets.json").read_text())["configurePresets"]}
        document = self.documents["CONTRIBUTING.md"]
        text = re.search(r"Presets: (.*?)\.", document.text, re.S)[1]
        for name in code_names(text):
            self.claims.check(document.find("Presets:"), f"preset {name}", name in known)
        folders = {path.name for path in (ROOT / "tests").iterdir() if (path / "CMakeLists.txt").exists()}
        for row in document.rows():
            for span in code_names(row.cells[0]):
                folders.discard(span.removeprefix("tests/"))
        self.claims.check(document.find("| folder | tests |"), "each folder of tests is in the table",
                          folders <= {"limits", "embed"}, str(folders))
