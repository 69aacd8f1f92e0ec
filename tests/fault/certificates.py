# SPDX-License-Identifier: Apache-2.0
"""Certificates made by openssl when they are needed: nothing secret is kept in the tree."""

import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from time_limits import limit_s  # noqa: E402

CA_CONFIG = """[ca]
default_ca = this
[this]
database = {directory}/index.txt
new_certs_dir = {directory}
default_md = sha256
rand_serial = yes
policy = any
[any]
commonName = supplied
"""
KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]


def openssl(*arguments, **options):
    try:
        return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True,
                              timeout=limit_s(60), **options)
    except subprocess.CalledProcessError as error:
        raise AssertionError(f"openssl {arguments}: {error.stderr.decode()}") from error


class Authority:
    """Signs; `pem` is its own certificate."""

    def __init__(self, directory, name):
        self.directory = pathlib.Path(directory)
        self.name = name
        self.pem = self.directory / f"{name}.pem"
        self.key = self.directory / f"{name}.key"
        # Python's ssl from 3.13 on takes no authority that does not say it is one for signing.
        openssl("req", "-x509", *KEY, "-nodes", "-days", 2, "-subj", f"/CN={name}", "-addext",
                "keyUsage=critical,keyCertSign,cRLSign", "-keyout", self.key, "-out", self.pem)

    def sign(self, name, alternative="DNS:localhost,IP:127.0.0.1", days=2, new_key=KEY):
        """(certificate, key); days below 0: it has expired."""
        pem, key = self.directory / f"{name}.pem", self.directory / f"{name}.key"
        request, names = self.directory / f"{name}.csr", self.directory / f"{name}.cnf"
        openssl("req", *new_key, "-nodes", "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        names.write_text(f"subjectAltName={alternative}\n")
        if days < 0:
            self._sign_for_the_past(request, names, pem)
        else:
            openssl("x509", "-req", "-in", request, "-CA", self.pem, "-CAkey", self.key,
                    "-CAcreateserial", "-days", days, "-extfile", names, "-out", pem)
        key.chmod(0o600)
        return pem, key

    def _sign_for_the_past(self, request, names, pem):
        """`openssl x509` takes no days below 0 from 3.5 on, and dates only then."""
        config = self.directory / "ca.cnf"
        config.write_text(CA_CONFIG.format(directory=self.directory))
        (self.directory / "index.txt").write_text("")
        openssl("ca", "-batch", "-notext", "-config", config, "-cert", self.pem, "-keyfile", self.key,
                "-startdate", "20200101000000Z", "-enddate", "20200102000000Z",
                "-in", request, "-extfile", names, "-out", pem)


def encrypt(key, path):
    """A copy of the key that needs a passphrase."""
    openssl("pkey", "-in", key, "-aes256", "-passout", "pass:passphrase", "-out", path)
    path.chmod(0o600)
    return path
