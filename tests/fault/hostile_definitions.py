# SPDX-License-Identifier: Apache-2.0
"""Definitions that cause event storms, as a careless or hostile administrator could send them."""

TYPES = ["z.z", "y.y", "x.x", "w.w", "button.press", "pad.pressed"]


def step(rng):
    return {"emit": rng.choice(TYPES), "data": rng.choice([None, {"v": 1}, "d" * 500, [1] * 50]),
            "offset": rng.choice(["0s", "1us", "1ms", "100ms", "10s"])}


def endless(rng):
    return {"steps": [{"emit": rng.choice(TYPES), "repeat": rng.choice([2, 1000, 10**6, 10**9]),
                       "interval": rng.choice(["1us", "10us", "100us", "1ms", "1s"])}]}


def own_trigger(rng):
    kind = rng.choice(TYPES)
    return {"trigger": kind, "max_runs": rng.choice([1, 16, 1000, 1000000]),
            "steps": [{"emit": kind, "offset": rng.choice(["0s", "1us", "1ms"])}
                      for _ in range(rng.choice([1, 2, 50]))]}


def on_lifecycle(rng):
    return {"trigger": "event.playlist." + rng.choice(["created", "emitted", "stopped", "*"]),
            "max_runs": rng.choice([16, 100000]), "steps": [step(rng)]}


def on_everything(rng):
    return {"trigger": [rng.choice(["gateway.*", "input.*", "event.*"]), *TYPES],
            "mode": rng.choice(["parallel", "queued", "restart", "single"]),
            "interrupts": rng.sample(TYPES, 2), "max_runs": rng.choice([1, 1000000]),
            "completion": rng.choice(TYPES), "late": rng.choice(["burst", "skip"]),
            "on_restart": rng.choice(["abort", "resume", "skip"]),
            "steps": [step(rng) for _ in range(rng.randint(1, 20))]}


def long_runs(rng):
    return {"trigger": {"event": rng.choice(TYPES), "match": {"v": {"exists": True}}},
            "max_runs": 1000000, "on_restart": "resume", "metadata": {"m": "m" * 1000},
            "steps": [{"emit": "w.w", "offset": "1h"}, {"emit": "w.w", "offset": "2h"}]}


def wide(rng):
    return {"trigger": rng.choice(TYPES),
            "steps": [{"emit": f"t{n}.x", "data": {"n": n}} for n in range(rng.choice([100, 900]))]}


PLAYLISTS = [endless, own_trigger, on_lifecycle, on_everything, long_runs, wide]


def tap(rng):
    return {"type": "double_tap", "source": rng.sample(TYPES, 3), "window": "1h",
            "emit": rng.choice(TYPES)}


def pair(rng):
    return {"type": "simultaneous", "source": rng.choice([TYPES, "event.*", "*"]), "window": "1h",
            "required_sources": rng.choice([1, 2, 3, 64]), "emit": rng.choice(TYPES)}


def sequence(rng):
    return {"type": "sequence", "timeout": "1h", "emit": rng.choice(TYPES), "near_miss": True,
            "steps": [{"event": rng.choice(TYPES), "match": {"v": 1}}
                      for _ in range(rng.choice([1, 2, 60]))]}


def mirror(rng):
    """A mirror that may trigger other mirrors, and itself."""
    return {"type": "gated_mirror", "gate": [rng.choice(TYPES)], "mirror": rng.sample(TYPES, 3),
            "emit": rng.choice(TYPES), "initial": True, "output_producer_id": rng.randrange(9)}


def gate(rng):
    return {"type": "gated_playlist", "gate": rng.sample(TYPES, 2), "cancel_active_runs": True,
            "playlist": rng.choice(["storm-0", "storm-1", "blink"])}


GESTURES = [tap, pair, sequence, mirror, gate]


def playlist(rng):
    return rng.choice(PLAYLISTS)(rng)


def gesture(rng):
    return rng.choice(GESTURES)(rng)
