"""The facts of a host as plain frozen data: what render, change, doctor and the wizard read.

Gathering them is the work of the other modules in this room (one a subject); nothing here looks at
anything. Times are aware ``datetime`` in UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

#: The files of a lineage, as certbot names them in ``live/`` and, with a number, in ``archive/``.
KINDS = ("cert", "privkey", "chain", "fullchain")


@dataclass(frozen=True)
class System:
    """The operating system. ``os_id`` and ``os_like`` are os-release(5) ``ID`` and ``ID_LIKE``."""

    os_id: str
    os_like: tuple[str, ...]
    os_name: str  # PRETTY_NAME
    hostname: str  # fully qualified where the host knows it
    machine_id: str  # 32 hex digits of machine-id(5); empty where there is none
    init: str  # systemd | other: what process 1 is
    systemd_version: int  # 0 without systemd
    package_manager: str  # apt | dnf | zypper | pacman | apk | ""
    is_root: bool


@dataclass(frozen=True)
class CertbotInstall:
    """One certbot on the host. ``version`` is "2.1.0"; empty where it did not answer."""

    path: str
    kind: str  # deb | rpm | snap | pip | other
    version: str

    @property
    def version_tuple(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split(".") if part.isdigit())


@dataclass(frozen=True)
class Lineage:
    """One ``renewal/NAME.conf`` with its certificate.

    ``error`` is a sentence when the configuration or the certificate cannot be read, or when
    certbot passes over the configuration; then the other fields hold what could be read.
    ``not_before`` and ``not_after`` are None without a certificate. ``links`` are the four paths
    that the configuration names, in the order of :data:`KINDS`, and empty where it names fewer;
    ``archive`` is the folder that they have to lead into. ``webroots`` are the folders that certbot
    puts its answers into, ``rootless`` the names for which it knows none; both are empty for other
    authenticators. ``options`` are the keys of [renewalparams]; ``strays`` are such keys in another
    section ("" for none), where certbot does not look, and the section.
    """

    name: str
    config: str
    certificate: str = ""
    server: str = ""
    authenticator: str = ""
    autorenew: bool = True
    renew_before_expiry: str = ""
    domains: tuple[str, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None
    error: str = ""
    installer: str = ""
    account: str = ""
    key_type: str = ""
    links: tuple[str, ...] = ()
    archive: str = ""
    webroots: tuple[str, ...] = ()
    rootless: tuple[str, ...] = ()
    options: tuple[str, ...] = ()
    strays: tuple[tuple[str, str], ...] = ()

    @property
    def is_lets_encrypt(self) -> bool:
        """Whether a plain ``--dry-run``, which asks Let's Encrypt's staging, can prove it."""
        host = self.server.split("/")[2] if self.server.count("/") >= 2 else ""
        return not self.server or host.endswith(".api.letsencrypt.org")


@dataclass(frozen=True)
class WebServer:
    """A web server found on the host, running or not. ``ports`` are those of 80 and 443 it owns."""

    kind: str  # nginx | apache | other
    program: str  # path or name of the binary
    unit: str  # "nginx.service"; empty where no unit owns it
    running: bool
    ports: tuple[int, ...] = ()
    version: str = ""


@dataclass(frozen=True)
class Service:
    """A daemon that fires jobs: cron or atd. ``unit`` is empty without systemd.

    ``masked`` is its UnitFileState where that is "masked" or "masked-runtime", else empty;
    ``broken`` the state of a unit whose last start failed by itself, else empty. ``halted`` is
    whether a signal has stopped its process, which is there and does nothing.
    """

    name: str  # cron | atd
    installed: bool
    unit: str = ""
    enabled: bool = False
    running: bool = False
    masked: str = ""
    broken: str = ""
    halted: bool = False


@dataclass(frozen=True)
class Timer:
    """A systemd timer. ``next_elapse`` and ``last_trigger`` are UTC."""

    unit: str
    state: str  # UnitFileState: enabled | disabled | static | masked | ""
    active: bool
    activates: str = ""
    next_elapse: datetime | None = None
    last_trigger: datetime | None = None
    fragment: str = ""  # the unit file's path


@dataclass(frozen=True)
class Mailer:
    """What can send mail from this host: a ``sendmail`` interface is preferred to ``mail``."""

    kind: str  # sendmail | mail
    path: str
    real: str  # where the program ends after symbolic links: which MTA it is


@dataclass(frozen=True)
class Renewer:
    """Something that already renews certificates on this host, ours included.

    ``active`` is whether it will fire as things stand. ``vendor`` is whether the distribution or a
    snap brought it (those may be switched off by consent; an administrator's own is only reported).
    ``only`` names lineages where others are not renewed, ``rare`` is less often than every week.
    """

    kind: str  # timer | cron.d | crontab | snap | at | other
    where: str  # the unit, or path:line
    command: str
    active: bool
    vendor: bool
    ours: bool = False
    next_run: datetime | None = None
    only: tuple[str, ...] = ()
    rare: bool = False


@dataclass(frozen=True)
class Facts:
    """Everything that was found. ``unreadable`` names what could not be looked at and why."""

    system: System
    certbots: tuple[CertbotInstall, ...] = ()
    lineages: tuple[Lineage, ...] = ()
    webservers: tuple[WebServer, ...] = ()
    cron: Service = field(default_factory=lambda: Service("cron", False))
    atd: Service = field(default_factory=lambda: Service("atd", False))
    has_cron_d: bool = False
    timers: tuple[Timer, ...] = ()
    mailer: Mailer | None = None
    renewers: tuple[Renewer, ...] = ()
    unreadable: tuple[str, ...] = ()

    @property
    def has_systemd(self) -> bool:
        return self.system.init == "systemd"

    def certbot(self, command: str) -> CertbotInstall | None:
        """The certbot a plan means: the first found for "auto", else the one at that path."""
        for install in self.certbots:
            if command in ("auto", install.path):
                return install
        return None

    def webserver(self, kind: str) -> WebServer | None:
        """The web server of a kind, running ones first."""
        found = [server for server in self.webservers if server.kind == kind]
        return max(found, key=lambda server: server.running, default=None)
