# SPDX-License-Identifier: Apache-2.0
"""Invalid messages with the code that refuses each; valid ones with ways to make them invalid."""

import json

STEP = {"emit": "lamp.set"}


def define(**members):
    return {"name": "made", "definition": {"steps": [STEP], **members}}


def step(**members):
    return define(steps=[{**STEP, **members}])


# command, payload, code; a payload of bytes is sent as it is.
COMMANDS = [
    ("playlist/start", b'{"playlist":"%s"}' % (b"x" * 5000), "limit"),  # oversized
    ("ping", b" " * 5000, "limit"),
    ("playlist/start", b'{"playlist":' + b"[" * 40 + b"]" * 40 + b"}", "limit"),  # depth
    ("playlist/define", b'{"name":"a","definition":' + b'{"x":' * 40 + b"1" + b"}" * 41, "limit"),
    # invalid UTF-8: a lone continuation, overlong, a surrogate, above U+10FFFF, cut short
    *(("playlist/start", b'{"playlist":"' + bad + b'"}', "invalid_json")
      for bad in (b"\x80", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80",
                  b"\xff", b"\xe2\x82")),
    ("playlist/start", b'{"playlist":"\\ud800"}', "invalid_json"),
    ("playlist/start", b"\xef\xbb\xbf{}", "invalid_json"),
    # NUL, as it is and escaped
    ("playlist/start", b'{"playlist":"a\0b"}', "invalid_json"),
    ("playlist/start", b'{"playlist":"a"}\0', "invalid_json"),
    ("playlist/start", b"\0", "invalid_json"),
    ("playlist/start", b'{"playlist":"flash\\u0000x"}', "invalid_json"),
    ("playlist/start", b'{"playlist\\u0000":"flash"}', "invalid_json"),
    ("event/emit", b'{"event_type":"a\\u0000"}', "invalid_json"),
    ("event/emit", b'{"event_type":"a","producer_id":%s}' % (b"9" * 400), "invalid_json"),
    # invalid JSON
    *(("playlist/start", bad, "invalid_json")
      for bad in (b"{", b"{]", b"}", b'{"a"}', b'{"a":}', b'{"a":1,}', b"{'a':1}", b'{"a":01}',
                  b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":NaN}', b'{"a":Infinity}',
                  b'{"a":1e}', b'{"a":"\n"}', b'{"a":"\\x"}', b"// x\n{}", b"{} {}", b"\x0c{}")),
    ("playlist/start", b'{"playlist":"flash","playlist":"long"}', "invalid_json"),  # twice
    ("playlist/start", b'{"playlist":"flash","pl\\u0061ylist":"long"}', "invalid_json"),
    ("playlist/start", b'{"request_id":1,"request_id":2,"playlist":"flash"}', "invalid_json"),
    ("event/emit", b'{"event_type":"a","data":{"b":1,"b":1}}', "invalid_json"),
    # not an object; not what it takes
    *(("playlist/start", bad, "invalid_request") for bad in (b"[]", b"3", b'"x"', b"null", b"true")),
    ("playlist/start", b"", "invalid_request"),
    ("playlist/start", {"playlist": "x" * 257}, "invalid_request"),
    ("playlist/start", {"playlist": "flash", "constructor": {}}, "invalid_request"),
    ("playlist/start", {"playlist": "no such"}, "not_found"),
    ("playlist/stop", {}, "invalid_request"),
    ("playlist/stop", {"run": "../../etc/passwd"}, None),
    ("playlist/stop", {"run": "0" * 32}, None),
    *((f"playlist/{verb}", bad, "invalid_request") for verb, more in (
        ("pause", {}), ("resume", {}), ("seek", {"offset": 0}), ("tempo", {"factor": 1}))
      for bad in (more, {"run": "x", **more}, {"run": "0" * 32, "playlist": "flash", **more},
                  {"playlist": 7, **more}, {"playlist": "flash", **more, "speed": 2})),
    *(("playlist/seek", b'{"playlist":"flash","offset":%s}' % bad, "invalid_request")
      for bad in (b"-1", b"1e400", b'"1"', b'"-1s"', b'"1e3s"', b"null", b"[]", b'"9999999999999h"', b"3e9")),
    *(("playlist/tempo", b'{"playlist":"flash","factor":%s}' % bad, "invalid_request")
      for bad in (b"0", b"-1", b"0.0099", b"100.01", b"1e400", b"-1e400", b'"1"', b"null", b"true")),
    ("playlist/pause", {"playlist": "no such"}, "not_found"),
    ("playlist/tempo", {"run": "0" * 32, "factor": 2}, "not_found"),
    *(("input/position", b'{"input":"dial","position":%s}' % bad, "invalid_request")
      for bad in (b"1.5", b"1e400", b'"1"', b"null", b"[]", b"99999999999999999999")),
    ("input/position", {"input": "dial"}, "invalid_request"),
    ("input/position", {"input": "dial", "position": 1}, "refused"),  # it has no range
    ("input/position", {"input": "no such", "position": 1}, "not_found"),
    ("ping", b'{"request_id":{}}', "invalid_request"),
    ("ping", b'{"request_id":"%s"}' % (b"r" * 300), "invalid_request"),
    # wildcard and control characters in names
    *(("playlist/define", dict(define(), name=name), "invalid_request")
      for name in ("+", "#", "a/#", "a/b", "$SYS", "", "a\tb", "a\x7f", "x" * 129)),
    *(("gesture/define", {"name": name, "definition": {
        "type": "double_tap", "source": "a", "window": "1s", "emit": "b"}}, "invalid_request")
      for name in ("a/+", "#")),
    *(("event/emit", {"event_type": kind}, "invalid_request")
      for kind in ("a/b", "+", "a.#", "A", "a..b", ".", "a.", "x" * 129, ".".join("abcdefghi"), "ä",
                   "a b")),
    *(("event/emit", {"event_type": kind}, "refused")
      for kind in ("event.playlist.stopped", "gateway.gap", "gesture.x", "input.failed")),
    # huge and odd numbers
    *(("event/emit", b'{"event_type":"a","producer_id":%s}' % number, "invalid_request")
      for number in (b"-1", b"4294967296", b"1e400", b"-1e400", b"0.5", b"9" * 60,
                     b'"1"', b"null", b"1e999999999", b"-0.0000001")),
    *(("playlist/define", json.dumps(step(repeat=2, interval="1s")).replace(
        '"repeat": 2', f'"repeat": {number}').encode(), "invalid_request")
      for number in ("0", "-1", "1e20", "1.5", "9" * 60, "18446744073709551616", '"2"', "1e400")),
    *(("playlist/define", define(max_runs=number), "invalid_request") for number in (0, -1, 10**20)),
    *(("input/set", {"input": "pad", "value": value}, "invalid_request")
      for value in (2, -1, "1", 0.5, None, 1e300)),
    # durations: negative, overflowing, without a unit, of another type
    *(("playlist/define", step(offset=text), "invalid_request")
      for text in ("-1s", "99999999999999999999h", "1e30s", "1", "", "s", "1 s", "1d", "0x1s", "1.s",
                   ".5s", "1,5s", "88000h", "+1s", "1s1s", "9223372036854775807ms", 5, -1, None, {})),
    ("playlist/define", step(repeat=3, interval="0s"), "invalid_request"),
    ("playlist/define", step(repeat=3), "invalid_request"),
    ("playlist/define", step(repeat=4294967295, interval="87600h"), "invalid_request"),
    ("gesture/define", {"name": "g", "definition": {"type": "double_tap", "source": "a",
                                                    "window": "-5ms", "emit": "b"}},
     "invalid_request"),
    ("gesture/define", {"name": "g", "definition": {"type": "sequence", "timeout": "1s", "emit": "b",
                                                    "steps": []}}, "invalid_request"),
    ("gesture/define", {"name": "g", "definition": {"type": "nonsense"}}, "invalid_request"),
    # definitions
    ("playlist/define", define(steps=[]), "invalid_request"),
    ("playlist/define", define(steps=[{}]), "invalid_request"),
    ("playlist/define", define(steps="x"), "invalid_request"),
    ("playlist/define", step(emit="event.playlist.created"), "invalid_request"),
    ("playlist/define", define(metdata={}), "invalid_request"),
    ("playlist/define", define(mode="sometimes"), "invalid_request"),
    ("playlist/define", {"name": "a", "definition": []}, "invalid_request"),
    ("playlist/define", define(interrupts=[{"event": "a", "match": {"b": {"gt": {}}}}]),
     "invalid_request"),
    ("playlist/remove", {"playlist": "../state"}, "not_found"),
    ("gesture/remove", {"gesture": "#"}, "not_found"),
    # unknown nouns and verbs
    *((name, {}, "unknown_command")
      for name in ("playlist", "playlist/", "playlist/begin", "nothing/at/all", "PING", "ping/",
                   "ping/ping", "playlist//start", "a" * 200, "ä/ö", "playlist/start ", "-", "%s%n")),
]

EMITS = [
    ("a", b"{", "invalid_json"),
    ("a", b"\xff", "invalid_json"),
    ("a", b"1\0", "invalid_json"),
    ("a", b'{"b":1,"b":2}', "invalid_json"),
    ("a", b"[" * 33 + b"]" * 33, "limit"),
    ("a", b'"' + b"x" * 4095 + b'"', "limit"),
    ("A", b"1", "invalid_request"),
    ("a//b", b"1", "invalid_request"),
    ("a/", b"1", "invalid_request"),
    ("a.b", b"1", "invalid_request"),
    ("ä", b"1", "invalid_request"),
    ("a b", b"1", "invalid_request"),
    ("/".join("abcdefghi"), b"1", "invalid_request"),
    ("x" * 129, b"1", "invalid_request"),
    ("event/playlist/stopped", b"1", "refused"),
    ("gateway/gap", b"1", "refused"),
    ("gesture/near_miss", b"1", "refused"),
    ("input/failed", b"1", "refused"),
]

GOOD = [
    ("playlist/start", {"playlist": "flash", "trigger_data": {"a": [1, 2.5, None]}}),
    ("playlist/stop", {"playlist": "flash"}),
    ("playlist/pause", {"playlist": "long"}),
    ("playlist/resume", {"all": True}),
    ("playlist/seek", {"playlist": "long", "offset": "1.5s"}),
    ("playlist/tempo", {"playlist": "flash", "factor": 2.5}),
    ("playlist/list", {}),
    ("playlist/runs", {"playlist": "long"}),
    ("playlist/define", {"name": "mutant.playlist", "definition": {
        "interrupts": ["stop.sequence", {"event": "heart.rate", "match": {"bpm": {"gt": 180}}}],
        "completion": "mutant.done", "metadata": {"k": "v"}, "mode": "queued", "max_runs": 4,
        "steps": [{"emit": "lamp.set", "data": {"on": True}, "offset": "10ms", "repeat": 3,
                   "interval": "20ms"}]}}),
    ("playlist/remove", {"playlist": "mutant.playlist"}),
    ("gesture/define", {"name": "mutant.gesture", "definition": {
        "type": "sequence", "timeout": "800ms", "emit": "mutant.fired", "steps": [
            {"event": "key.press", "match": {"code": "up"}}, {"event": "key.press"}]}}),
    ("gesture/remove", {"gesture": "mutant.gesture"}),
    ("gesture/list", {}),
    ("event/emit", {"event_type": "some.thing", "producer_id": 7, "data": {"x": -1.5e-3, "y": "ä"}}),
    ("state/get", {"event_type": "some.thing", "producer_id": 7}),
    ("input/set", {"input": "pad", "value": 1}),
    ("input/position", {"input": "dial", "position": -3}),
    ("config/check", {"version": 1, "gateway": {"id": "x"}, "playlists": {"p": {"steps": [STEP]}}}),
    ("config/get", {}),
    ("ping", {}),
]
FRAGMENTS = [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"\\u0000", b"\0", b"\xff", b"-", b"1e999",
             b"99999999999999999999", b"null", b"true", b'"-1s"', b'"99999999999h"', b"+", b"#", b"/",
             b"\xc3", b'"event.x"', b"%n%s", b"\n", b" ", b"0", b"."]


def mutate(rng, text):
    """Make one to four changes to a valid payload."""
    data = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(7)
        if kind == 0 and data:
            data[rng.randrange(len(data))] = rng.randrange(256)
        elif kind == 1 and data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif kind == 2:
            data[at:at] = rng.choice(FRAGMENTS)
        elif kind == 3:
            del data[at:at + rng.randint(1, 8)]
        elif kind == 4:
            piece = data[at:at + rng.randint(1, 32)]
            data[at:at] = piece * rng.randint(1, 20)
        elif kind == 5:
            del data[at:]
        else:
            a, b = sorted((at, rng.randrange(len(data) + 1)))
            data[a:b] = rng.choice(FRAGMENTS)
    return bytes(data)
