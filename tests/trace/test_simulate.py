# SPDX-License-Identifier: Apache-2.0
"""`cuebus simulate` as a user sees it: output, determinism, errors, exit codes."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
CUEBUS = os.environ["CUEBUS"]
CONFIG = HERE / "config"
TIMELINE = HERE / "full_timeline.trace"


def run(*args, cwd=None):
    return subprocess.run([CUEBUS, *map(str, args)], capture_output=True, text=True, timeout=limit_s(60), cwd=cwd)


class Simulate(unittest.TestCase):
    def setUp(self):
        self.dir = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))

    def write(self, name, text):
        path = self.dir / name
        path.write_text(text, "utf-8")
        return path

    def golden(self, path):
        head, _, expected = path.read_text("utf-8").partition("\n\n")
        return self.write("input.trace", head + "\n"), expected

    def test_prints_what_the_golden_trace_expects(self):
        trace, expected = self.golden(TIMELINE)
        for start in (0, 987654321123456789):
            done = run("simulate", CONFIG / "full_timeline.json", "--input", trace,
                       "--until", "70s", "--start-ns", start)
            self.assertEqual(done.returncode, 0)
            self.assertNotIn("error", done.stderr)  # check's warnings are there
            self.assertEqual(done.stdout, expected)

    def test_replies_are_comments_and_only_on_request(self):
        trace, expected = self.golden(HERE / "command_starts_and_stops.trace")
        config = CONFIG / "playlist.json"
        self.assertEqual(run("simulate", config, "-i", trace, "--replies").stdout, expected)
        plain = run("simulate", config, "-i", trace).stdout
        self.assertEqual(plain, "".join(line for line in expected.splitlines(True) if line.startswith("{")))

    def test_until_is_inclusive_and_cuts(self):
        trace = self.write("t", "0 interleave.start\n")
        done = run("simulate", CONFIG / "playlist.json", "-i", trace, "--until", "200ms")
        self.assertEqual(done.stdout.count('\n{"event_type":"step.a"'), 2)
        done = run("simulate", CONFIG / "playlist.json", "-i", trace, "--until", "199ms")
        self.assertEqual(done.stdout.count('\n{"event_type":"step.a"'), 1)

    def test_without_a_trace_only_initial_states(self):
        done = run("simulate", CONFIG / "inputs.json")
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stdout.count("\n"), 1)
        self.assertIn('"initial":true', done.stdout)

    def test_what_never_ends_is_cut_with_a_word(self):
        config = self.write("c.json", '{"version":1,"gateway":{"id":"x"},"playlists":{"p":{"trigger":["go","x"],'
                            '"steps":[{"emit":"x","offset":"1ms"}]}}}')
        done = run("simulate", config, "-i", self.write("t", "0 go\n"), "--timeline")
        self.assertEqual(done.returncode, 70)
        self.assertIn("the events do not end", done.stderr)
        self.assertIn("and ", done.stdout)

    def config(self, playlists, **more):
        return self.write("c.json", json.dumps({"version": 1, "gateway": {"id": "g"}, "playlists": playlists, **more}))

    def test_the_limit_counts_events_that_are_not_bridged(self):
        config = self.config(
            {"metronome": {"trigger": ["go", "again"], "completion": "again",
                           "steps": [{"emit": "tick", "repeat": 10, "interval": "1ms"}]}},
            mqtt={"qos": {"event.*": "off", "tick": "off", "again": "off"}},
        )
        done = run("simulate", config, "-i", self.write("t", "0 go\n"))
        self.assertEqual(done.returncode, 70)
        self.assertIn("the events do not end", done.stderr)
        self.assertEqual(done.stdout.count("\n"), 1)  # the trace's own

    def test_time_ends_where_timestamps_do(self):
        config = self.config({"a": {"trigger": "x", "steps": [{"emit": "x", "offset": "87600h"}]}})
        done = run("simulate", config, "-i", self.write("t", "0 x\n"))
        self.assertEqual(done.returncode, 70)
        self.assertIn("where time ends", done.stderr)
        stamps = [json.loads(line)["timestamp"] for line in done.stdout.splitlines()]
        self.assertEqual(stamps, sorted(stamps))  # nothing wraps
        self.assertEqual(stamps[-1][:4], "2259")

    def test_what_follows_at_one_instant_is_bounded(self):
        config = self.config({"a": {"trigger": "x", "max_runs": 1000000, "steps": 50 * [{"emit": "x"}]}},
                             limits={"queue_events": 1000})
        done = run("simulate", config, "-i", self.write("t", "0 x\n"))
        self.assertEqual(done.returncode, 0)
        first = [line for line in done.stdout.splitlines() if json.loads(line)["monotonic_us"] == 0]
        # The event, what follows from it, and the word that something was refused.
        followed = [line for line in first if '"event_type":"gateway.' not in line]
        self.assertEqual(len(followed), 1001)

    def test_what_several_mirrors_of_one_type_emit_is_bounded(self):
        """Each sees what the others emit: 2^32 without a bound, at the default cascade depth."""
        config = self.config({}, limits={"queue_events": 1000}, gestures={
            name: {"type": "gated_mirror", "gate": "gate", "initial": True, "mirror": "x"} for name in "abc"})
        done = run("simulate", config, "-i", self.write("t", "0 x 1\n"))
        self.assertEqual(done.returncode, 0)
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len([e for e in events if e["event_type"] == "x"]), 1001)
        self.assertEqual([e["data"]["fault"] for e in events if e["event_type"] != "x"], ["queue_full"])

    def test_publishers_do_not_use_up_the_types_of_the_gateway(self):
        config = self.config({}, limits={"event_types": 64}, mqtt={"remote": {"cmd": True}})
        lines = [f'0 cmd/event/emit {{"event_type":"out.n{n}"}}\n' for n in range(100)]
        lines += ['1 cmd/playlist/define {"name":"p","definition":{"steps":[{"emit":"own.tick"}]}}\n',
                  '1 cmd/playlist/start {"playlist":"p"}\n']
        done = run("simulate", config, "-i", self.write("t", "".join(lines)), "--replies")
        self.assertEqual(done.returncode, 0)
        refused = [line for line in done.stdout.splitlines() if '"ok":false' in line]
        self.assertEqual(len(refused), 100 - 64)
        self.assertIn("limits.event_types is reached", refused[0])
        self.assertNotIn("limits.definitions", done.stdout)
        self.assertIn('{"event_type":"own.tick"', done.stdout)

    def test_a_quote_that_is_too_large_is_marked(self):
        config = self.config(
            {"p": {"trigger": "tap.double", "steps": [{"emit": "x"}]}},
            limits={"payload_bytes": 1048576},
            gestures={"double": {"type": "double_tap", "source": "tap", "window": "1s", "emit": "tap.double"}},
        )
        for data, why in (('"' + 40000 * "x" + '"', "size"), (31 * "[" + 31 * "]", "depth")):
            done = run("simulate", config, "-i", self.write("t", f"0 tap {data}\n0.1 tap {data}\n"))
            self.assertEqual(done.returncode, 0)
            events = [json.loads(line) for line in done.stdout.splitlines()]
            double = next(e for e in events if e["event_type"] == "tap.double")
            self.assertEqual([e["data"] for e in double["data"]["events"]], 2 * [json.loads(data)])
            created = next(e for e in events if e["event_type"] == "event.playlist.created")
            self.assertEqual(created["data"]["trigger_event"],
                             {"event_type": "tap.double", "producer_id": 0, "data": None, "data_omitted": why})

    def test_many_stopped_that_wait_for_room(self):
        """Events refused by a full queue are emitted again: seconds for 60,000, not minutes."""
        config = self.config(
            {"p": {"trigger": "go", "max_runs": 100000, "steps": [{"emit": "x", "offset": "100s"}]},
             "many": {"trigger": "begin", "steps": [{"emit": "go", "repeat": 60000, "interval": "1ms"}]}},
            limits={"queue_events": 64}, mqtt={"qos": {"event.*": "off"}})
        done = run("simulate", config, "-i", self.write("t", '0 begin\n70 cmd/playlist/stop {"all":true}\n'))
        self.assertEqual(done.returncode, 0)
        self.assertNotIn('{"event_type":"x"', done.stdout)

    def test_names_in_the_timeline_are_cut_at_a_character(self):
        config = self.config({25 * "ä": {"trigger": "go", "steps": [{"emit": "x"}]}})
        done = subprocess.run([CUEBUS, "simulate", config, "-i", self.write("t", "0 go\n"), "--timeline"],
                              capture_output=True, timeout=limit_s(60))
        self.assertEqual(done.returncode, 0)
        text = done.stdout.decode("utf-8")  # strict: no half of a character
        self.assertIn(23 * "ä" + " ", text)
        self.assertNotIn("1\n", text.splitlines(True)[0], "no time but 0 on the axis")

    def test_timeline(self):
        trace, _ = self.golden(TIMELINE)
        done = run("simulate", CONFIG / "full_timeline.json", "-i", trace,
                   "--until", "4s", "--timeline", "--width", "80")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"(?m)^color\.update +\*.*\*.*\*.*\*  4$")
        self.assertRegex(done.stdout, r"(?m)^color\.cycle 6e789e6a \[=+x  interrupted: stop\.sequence, 4 emitted$")

    def test_a_wrong_trace_is_named_with_its_place(self):
        config = CONFIG / "inputs.json"
        for text, place, words in (
            ("0 a.b\n-1 a.b\n", "2:1", "time"),
            ("0 Bad.Type\n", "1:3", "only a-z"),
            ('0 input.set {"input":"nobody","value":1}\n', "1:1", 'no input "nobody"'),
            ('1 input.set {"input":"doorbell","value":1,"line":1}\n', "1:1", "no line 1"),
            ("0 event.playlist.stopped\n", "1:", "reserved"),
        ):
            trace = self.write("wrong.trace", text)
            done = run("simulate", config, "--input", trace)
            self.assertEqual(done.returncode, 65, text)
            self.assertIn(f"{trace}:{place}", done.stderr)
            self.assertIn(words, done.stderr)
            self.assertEqual(done.stdout, "")

    def test_a_wrong_configuration_is_told_as_check_tells_it(self):
        config = self.write("c.json", '{"version":1,"gatewai":{}}')
        check, simulate = run("check", config), run("simulate", config)
        self.assertEqual((check.returncode, simulate.returncode), (78, 78))
        self.assertIn("c.json:1:", simulate.stderr)
        self.assertEqual(simulate.stderr.splitlines()[0], (check.stdout + check.stderr).splitlines()[0])
        self.assertEqual(run("simulate", self.dir / "missing.json").returncode, 78)

    def test_outputs_need_no_device(self):
        config = self.write("outputs.json", json.dumps({
            "gateway": {"id": "g"},
            "outputs": {"lamp": {"driver": "gpio", "chip": "/nonexistent/gpiochip0", "line": 1,
                                 "on_event": "lamp.set"}},
            "playlists": {"p": {"trigger": "go", "steps": [{"emit": "lamp.set", "data": 1}]}}}))
        trace = self.write("outputs.trace", "1 go\n")
        done = run("simulate", config, "--input", trace)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('"event_type":"lamp.set"', done.stdout)

    def test_usage(self):
        for args in ([], ["a", "b"], ["a", "--until", "5"], ["a", "--width", "7"], ["a", "--nonsense"]):
            done = run("simulate", *args)
            self.assertEqual(done.returncode, 64, args)
            self.assertTrue(done.stderr)
        self.assertEqual(run("simulate", "--help").returncode, 0)

    def test_full_disk_is_no_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([CUEBUS, "simulate", CONFIG / "inputs.json"],
                                  stdout=full, stderr=subprocess.PIPE, timeout=limit_s(60))
        self.assertEqual(done.returncode, 74)


class Main(unittest.TestCase):
    def test_full_disk_is_no_success(self):
        for args in (["--version"], ["--help"], ["check", "--help"], ["schema"]):
            with self.subTest(args), open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([CUEBUS, *args], stdout=full, stderr=subprocess.PIPE, timeout=limit_s(60))
                self.assertIn(done.returncode, (70, 74))
                self.assertIn(b"can't write to standard output", done.stderr)

    def test_version_names_the_libraries(self):
        done = run("--version")
        self.assertEqual(done.returncode, 0)
        for name in ("cuebus ", "cJSON ", "libgpiod ", "libuv ", "paho", "SQLite "):
            self.assertIn(name, done.stdout)

    def test_help_and_unknown(self):
        self.assertIn("simulate", run("--help").stdout)
        done = run("simulat")
        self.assertEqual(done.returncode, 64)
        self.assertIn("simulat", done.stderr)
        self.assertEqual(run().returncode, 64)


if __name__ == "__main__":
    unittest.main()
