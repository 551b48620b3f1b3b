"""What a host with very many certificates costs: doctor and status over 1 to 10,000 lineages.

``nox -s bench``, or ``python tests/bench_lineages.py [COUNT ...]``. Each count has a throw-away
configuration folder as certbot writes it: real EC certificates, each of its own name, links in
``live/``, renewal configurations. Each command is a process of its own, started twice; the faster
one counts. Nothing here fails on a figure.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from multiprocessing import get_context
from pathlib import Path

COUNTS = (1, 100, 1_000, 10_000)
COMMANDS = ("doctor", "status", "doctor --json", "status --json")

#: What is asked for: milliseconds a lineage beyond the first, and MiB at the peak.
MOST_MS, MOST_MIB = 0.3, 80.0

_ROUNDS = 2

_CONF = """\
# renew_before_expiry = 30 days
version = 4.0.0
archive_dir = {folder}/archive/{name}
cert = {folder}/live/{name}/cert.pem
privkey = {folder}/live/{name}/privkey.pem
chain = {folder}/live/{name}/chain.pem
fullchain = {folder}/live/{name}/fullchain.pem

# Options used in the renewal process
[renewalparams]
account = {account}
authenticator = webroot
webroot_path = {folder}/www,
server = https://acme-v02.api.letsencrypt.org/directory
key_type = ecdsa
[[webroot_map]]
{name} = {folder}/www
"""
_ACCOUNT = "8d8f5d5d4f8d5c4e8d8f5d5d4f8d5c4e"
_ACCOUNTS = f"accounts/acme-v02.api.letsencrypt.org/directory/{_ACCOUNT}"

# The peak of the program that is measured: the usage that the kernel keeps of a child counts what
# ran before exec, and the programs that it started itself, too (getrusage(2)).
_MEASURED = """\
import sys
from certtui.cli import main
code = main(sys.argv[1:])
with open("/proc/self/status") as status:
    peak = next(line.split()[1] for line in status if line.startswith("VmHWM"))
sys.stderr.write(f"\\npeak {peak}")
sys.exit(code)
"""


@dataclass(frozen=True)
class Cost:
    """One command over ``count`` lineages: wall and processor time, and the peak of memory."""

    command: str
    count: int
    seconds: float
    cpu: float
    mib: float


def make_tree(folder: Path, count: int) -> Path:
    """A configuration folder with ``count`` healthy lineages, and the plan that names it."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    folder.mkdir()
    for name in ("archive", "live", "renewal", "www", "bin", _ACCOUNTS):
        (folder / name).mkdir(parents=True)
    chain = _certificate("Test CA", private)
    for number in range(count):
        _lineage(folder, f"site{number}.example.test", private, chain)
    certbot = folder / "bin/certbot"
    certbot.write_text("#!/bin/sh\necho certbot 4.0.0\n", "utf-8")
    certbot.chmod(0o755)
    plan = folder / "plan.toml"
    plan.write_text(
        f'version = 1\n[webserver]\nkind = "none"\n[schedule]\nbackend = "cron"\n'
        f'[certbot]\ncommand = "{certbot}"\nextra_args = ["--config-dir", "{folder}"]\n',
        "utf-8",
    )
    return plan


def _certificate(name: str, private: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = serialization.load_pem_private_key(private, None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(timezone.utc)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=89))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM)


def _lineage(folder: Path, name: str, private: bytes, chain: bytes) -> None:
    archive, live = folder / "archive" / name, folder / "live" / name
    archive.mkdir()
    live.mkdir()
    certificate = _certificate(name, private)
    contents = {
        "cert": certificate,
        "chain": chain,
        "fullchain": certificate + chain,
        "privkey": private,
    }
    for kind, content in contents.items():
        file = archive / f"{kind}1.pem"
        file.write_bytes(content)
        (live / f"{kind}.pem").symlink_to(f"../../archive/{name}/{kind}1.pem")
    (archive / "privkey1.pem").chmod(0o600)
    conf = _CONF.format(folder=folder, name=name, account=_ACCOUNT)
    (folder / "renewal" / f"{name}.conf").write_text(conf, "utf-8")


def measure(command: str, plan: Path, count: int) -> Cost:
    """The faster of two runs."""
    words, *options = command.split()
    argv = [sys.executable, "-c", _MEASURED, words, str(plan), *options]
    costs = []
    for _ in range(_ROUNDS):
        began, spent = time.perf_counter(), _spent()
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        seconds, cpu = time.perf_counter() - began, _spent() - spent
        if done.returncode not in (0, 1):
            raise RuntimeError(f"certtui {command}: {done.returncode}\n{done.stderr}")
        peak = done.stderr.rpartition("peak ")[2]
        costs.append(Cost(command, count, seconds, cpu, int(peak) / 1024))
    return min(costs, key=lambda cost: cost.cpu)


def _spent() -> float:
    """Processor seconds of the children until now."""
    found = os.times()
    return found.children_user + found.children_system


def costs(folder: Path, counts: tuple[int, ...]) -> Iterator[Cost]:
    """All commands over each count. A tree is made by another process, so that this stays small."""
    for count in counts:
        home = folder / str(count)
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
            plan = pool.submit(make_tree, home, count).result()
        yield from (measure(command, plan, count) for command in COMMANDS)


def table(found: list[Cost]) -> str:
    """A row a command and count; the milliseconds are those of each lineage beyond the first."""
    first = {cost.command: cost for cost in found if cost.count == 1}
    lines = ["command        lineages  seconds  cpu s  ms a lineage  cpu ms    MiB"]
    for cost in sorted(found, key=lambda one: (COMMANDS.index(one.command), one.count)):
        each = cpu = ""
        within = cost.mib < MOST_MIB
        if cost.command in first and cost.count > 1:
            alone, more = first[cost.command], (cost.count - 1) / 1000
            each = f"{(cost.seconds - alone.seconds) / more:.3f}"
            cpu = f"{(cost.cpu - alone.cpu) / more:.3f}"
            within = within and (cost.cpu - alone.cpu) / more <= MOST_MS
        lines.append(
            f"{cost.command:<13}  {cost.count:>8}  {cost.seconds:>7.2f}  {cost.cpu:>5.2f}"
            f"  {each:>12}  {cpu:>6}  {cost.mib:>5.1f}{'' if within else '  NOT WITHIN'}"
        )
    return "\n".join(lines)


def main() -> None:
    """Prints the table."""
    counts = tuple(int(word) for word in sys.argv[1:]) or COUNTS
    with tempfile.TemporaryDirectory(prefix="certtui-bench-") as folder:
        print(table(list(costs(Path(folder), counts))))


if __name__ == "__main__":
    main()
