# SPDX-License-Identifier: Apache-2.0
"""Make the binary seeds: corpus/outbox_db and corpus/tls_probe.

They are in the tree; this script documents how they were made. Its output differs each time (keys
and dates of certificates), so the tests do not run it.
"""

import pathlib
import sqlite3
import ssl
import subprocess
import tempfile

CORPUS = pathlib.Path(__file__).resolve().parent / "corpus"
MASK = (1 << 64) - 1


# ---- outbox.db, as gateway/outbox/outbox_db.c makes it ----

def add(value, data):
    for byte in data:
        value = ((value ^ byte) * 0x100000001B3) & MASK
    return value


def add_value(value, data):
    return add(add(value, len(data).to_bytes(8, "little")), data)


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def message(row, boot, seq, flags, topic, payload, correlation=None):
    value = 0xCBF29CE484222325
    for number in (row, seq, flags):
        value = add(value, (number & MASK).to_bytes(8, "little"))
    for data in (boot.encode(), topic.encode(), payload):
        value = add_value(value, data)
    if correlation is not None:
        value = add_value(value, correlation)
    return row, boot, seq, flags, topic, payload, correlation, signed(value)


def note(key, content):
    return key, content, signed(add_value(add_value(0xCBF29CE484222325, key.encode()), content))


def outbox(name, messages=(), notes=(), version=1, more=()):
    path = CORPUS / "outbox_db" / name
    path.unlink(missing_ok=True)
    db = sqlite3.connect(path)
    db.execute("PRAGMA page_size=512")
    db.execute("CREATE TABLE messages(id INTEGER PRIMARY KEY,boot_id TEXT NOT NULL,"
               "seq INTEGER NOT NULL,flags INTEGER NOT NULL,topic TEXT NOT NULL,"
               "payload BLOB NOT NULL,correlation BLOB,checksum INTEGER NOT NULL)")
    db.execute("CREATE TABLE journal(key TEXT PRIMARY KEY NOT NULL,"
               "value BLOB NOT NULL,checksum INTEGER NOT NULL) WITHOUT ROWID")
    db.execute("PRAGMA application_id=1131763010")
    db.execute(f"PRAGMA user_version={version}")
    db.executemany("INSERT INTO messages VALUES(?,?,?,?,?,?,?,?)", messages)
    db.executemany("INSERT INTO journal VALUES(?,?,?)", notes)
    for statement in more:
        db.execute(statement)
    db.commit()
    db.close()


def outboxes():
    events = [message(n, "7f3a9c21", n, 1, "cuebus/1/x/bus/a", b'{"n":%d}' % n)
              for n in range(1, 9)]
    notes = [note("mark", b'{"boot":"b","mono":"1","wall":"2"}'), note("run/x", b"{}")]
    outbox("good", events, notes)
    outbox("empty")
    outbox("two_boots", events + [message(20, "00000001", 1, 5, "t", b"", b"corr"),
                                  message(21, "00000001", 0, 1, "reply", b"{}")])
    outbox("large_rows", [message(n, "7f3a9c21", n, 1, "t", b"x" * 3000) for n in range(1, 5)])
    outbox("far_numbers", [message(-5, "a", 1, 1, "t", b"x"), message(2 ** 63 - 1, "a", 2, 1, "t", b"x"),
                           message(7, "a", -1, 1, "t", b"x"), message(8, "b" * 200, 3, 255, "t", b"x")])
    outbox("wrong_checksums", [(*row[:7], 1) for row in events], [("k", b"v", 1)])
    outbox("one_wrong", events[:3] + [(*events[3][:7], 1)] + events[4:])
    outbox("odd_types", more=["INSERT INTO messages VALUES(1,x'00ff',1.5,'q','',zeroblob(9),'c','x')"])
    outbox("view", more=["DROP TABLE messages", "CREATE VIEW messages AS SELECT 1 AS id"])
    outbox("trigger", events, more=["CREATE TRIGGER t AFTER DELETE ON messages BEGIN "
                                    "INSERT INTO messages SELECT * FROM messages; END"])
    outbox("newer", events, version=2)
    outbox("older", events, version=0)


# ---- the first flight of a TLS 1.2 server ----

def certificate(directory, name, subject, days, *extensions):
    pem = directory / f"{name}.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:P-256", "-nodes", "-subj", subject, "-keyout",
                    str(directory / "key"), "-out", str(directory / "cert"), "-days", str(days),
                    *(word for e in extensions for word in ("-addext", e))],
                   check=True, capture_output=True)
    pem.write_bytes((directory / "key").read_bytes() + (directory / "cert").read_bytes())
    return pem


def flight(pem, version):
    server, client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.create_default_context()
    server.load_cert_chain(pem)
    server.maximum_version = version
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (client.wrap_bio(to_client, to_server, server_hostname="localhost"),
            server.wrap_bio(to_server, to_client, server_side=True))
    for end in ends:
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            pass
    return to_client.read()


def servers():
    out = CORPUS / "tls_probe"
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        for name, subject, days, *extensions in (
                ("names", "/CN=x", 20000, "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"),
                ("other_name", "/CN=x", 20000, "subjectAltName=DNS:broker.example,email:a@b"),
                ("no_names", "/CN=only a common name", 20000),
                ("no_subject", "/", 20000),
                ("many_names", "/CN=x", 20000,
                 "subjectAltName=" + ",".join(f"DNS:host-{n}.example" for n in range(30)))):
            pem = certificate(directory, name, subject, days, *extensions)
            (out / name).write_bytes(flight(pem, ssl.TLSVersion.TLSv1_2))
        (out / "tls_1_3").write_bytes(flight(pem, ssl.TLSVersion.TLSv1_3))
    for number, alert in ((40, "handshake_failure"), (70, "protocol_version"), (48, "unknown_ca"),
                          (0, "close_notify"), (116, "certificate_required")):
        (out / f"alert_{alert}").write_bytes(bytes([21, 3, 3, 0, 2, 2, number]))
    (out / "http").write_bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    (out / "mqtt").write_bytes(bytes([0x20, 2, 0, 0]))
    (out / "nothing").write_bytes(b"")


if __name__ == "__main__":
    outboxes()
    servers()
