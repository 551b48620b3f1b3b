"""Mistakes in ``renewal/NAME.conf`` that certbot meets in silence, or only as it renews."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import urlsplit

from certtui.change.packages import INSTALL
from certtui.doctor.certificates import authenticators, window
from certtui.doctor.certificates.certbot_commands import command, used
from certtui.doctor.check import Context, Kind
from certtui.doctor.finding import Finding, Fix, Status
from certtui.host.facts import Lineage
from certtui.host.interface import Host

HOOK = Kind(
    "lineage.hook-name",
    Status.FAIL,
    "hooks have the names that certbot reads: pre_hook, post_hook, renew_hook",
    "--deploy-hook is written as renew_hook; before 5.3 certbot ignores deploy_hook and deletes it "
    "at the next renewal (issues #5660 and #8368): the hook never runs.",
)
STRAY = Kind(
    "lineage.misplaced-option",
    Status.WARN,
    "each option is in the section in which certbot looks for it",
    "A line appended to the file ends up in its last section, [[webroot_map]] for one, and "
    "renew_before_expiry counts above [renewalparams] only: certbot says nothing and ignores it.",
)
INTERVAL = Kind(
    "lineage.interval",
    Status.WARN,
    "renew_before_expiry is a length of time: 30 days, 2 weeks",
    "certbot takes what it does not understand for no time at all (parsedatetime), and renews when "
    "the certificate has expired.",
)
ALWAYS = Kind(
    "lineage.always-due",
    Status.WARN,
    "renew_before_expiry is shorter than the certificate's lifetime",
    "Every run renews such a certificate until the CA refuses: Let's Encrypt issues five of the "
    "same names a week.",
)
WEBROOT = Kind(
    "lineage.webroot",
    Status.FAIL,
    "each name has a webroot, and that is a folder",
    "certbot writes the answer to http-01 below it: where the name has none it asks a person, "
    "which a scheduled run cannot; a missing folder it makes itself, and no web server serves from "
    "there (plugins/webroot.py).",
)
PLUGIN = Kind(
    "lineage.plugin",
    Status.FAIL,
    "certbot has the authenticator and the installer that the lineage names",
    "A plugin that was not installed again with a new certbot (another snap, pip instead of apt) "
    "fails every renewal: the requested plugin does not appear to be installed.",
)
ACCOUNT = Kind(
    "lineage.account",
    Status.FAIL,
    "the account that the lineage names is in accounts/",
    "certbot renews with this account only and fails where its folder is missing "
    "(account.py, AccountNotFound).",
)

ALL = (HOOK, STRAY, INTERVAL, ALWAYS, WEBROOT, PLUGIN, ACCOUNT, *authenticators.ALL)

_HOOK = re.compile(r"(pre|post|renew|deploy)[-_]?hooks?", re.IGNORECASE)
_HOOKS = {"pre": "pre_hook", "post": "post_hook", "renew": "renew_hook", "deploy": "renew_hook"}

#: What certbot looks for above the sections.
_TOP = "renew_before_expiry"

#: From this version on certbot reads deploy_hook, too (renewal.py, STR_CONFIG_ITEMS).
_READS_DEPLOY_HOOK = (5, 3)

#: In certbot itself, whatever is installed besides; it does not list the last two.
BUILT_IN = frozenset(("standalone", "webroot", "manual", "null"))

#: certbot's own plugins that packages of their own bring.
_OFFICIAL = re.compile(r"nginx|apache|dns-[a-z0-9]+")

#: Accounts of a server that certbot takes over for another (constants.py, LE_REUSE_SERVERS).
_REUSED = {
    "acme-v02.api.letsencrypt.org/directory": "acme-v01.api.letsencrypt.org/directory",
    "acme-staging-v02.api.letsencrypt.org/directory": "acme-staging.api.letsencrypt.org/directory",
}


@dataclass
class Known:
    """What was looked up for one lineage and holds for the next. ``plugins`` is None: unknown."""

    host: Host
    plugins: frozenset[str] | None = None
    _folders: dict[str, str] = field(default_factory=dict)
    _accounts: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def no_folder(self, path: str) -> str:
        """Why a path is no folder; "" if it is one. Raises PermissionError."""
        if path not in self._folders:
            self._folders[path] = _no_folder(self.host, path)
        return self._folders[path]

    def accounts(self, folder: str) -> tuple[str, ...]:
        """The accounts in a folder. Raises PermissionError."""
        if folder not in self._accounts:
            self._accounts[folder] = tuple(self.host.names(folder))
        return self._accounts[folder]


def look(context: Context, lineage: Lineage, known: Known) -> Iterator[Finding]:
    """Every mistake; what this user may not look at is passed over."""
    yield from _hooks(context, lineage)
    yield from _strays(lineage)
    yield from _interval(lineage)
    try:
        yield from _webroot(lineage, known)
        yield from _account(context, lineage, known)
        yield from authenticators.look(context, lineage)
    except PermissionError:
        pass  # the lineage's files are hidden from this user as well, and that is said
    yield from _plugin(context, lineage, known)


def _hooks(context: Context, lineage: Lineage) -> Iterator[Finding]:
    for key in lineage.options:
        found = _HOOK.fullmatch(key)
        if found is None:
            continue
        right = _HOOKS[found[1].lower()]
        if key == right or (key == "deploy_hook" and _reads_deploy_hook(context)):
            continue
        yield HOOK.found(
            lineage.name,
            f"{key} is not read by this certbot: it is called {right}",
            f"{lineage.config}: [renewalparams] {key}",
            _rename(lineage, key, right),
        )


def _reads_deploy_hook(context: Context) -> bool:
    certbot = used(context)
    return certbot is not None and certbot.version_tuple >= _READS_DEPLOY_HOOK


def _rename(lineage: Lineage, key: str, right: str) -> Fix:
    """The right name, or away with it where the right one is there already."""
    if right in lineage.options:
        return Fix(("sed", "-i", rf"/^\s*{key}\s*=/d", lineage.config))
    return Fix(("sed", "-i", rf"s/^\(\s*\){key}\s*=/\1{right} =/", lineage.config))


def _strays(lineage: Lineage) -> Iterator[Finding]:
    for key, section in lineage.strays:
        right = "above all sections" if key == _TOP else "in [renewalparams]"
        here = f"in [{section}]" if section else "above all sections"
        yield STRAY.found(
            lineage.name,
            f"{key} is {here}, where certbot does not read it: it belongs {right}",
            f"{lineage.config}: {here}: {key}",
            _move(lineage, key, section),
        )


def _move(lineage: Lineage, key: str, section: str) -> Fix | None:
    """Moves the line, as one record of sed -z; None where the right place has one already.

    A line below [renewalparams] comes right behind it, one above it too, renew_before_expiry first.
    """
    line, head = rf"[ \t]*{key}[ \t]*=[^\n]*\n", r"\[renewalparams\][^\n]*\n"
    if key == _TOP:
        if lineage.renew_before_expiry:
            return None
        script = rf"s/^\(.*\n\)\({line}\)/\2\1/"
    elif key in lineage.options:
        return None
    elif section:
        script = rf"s/\(\n{head}\)\(.*\n\)\({line}\)/\1\3\2/"
    else:
        script = rf"s/\(^\|\n\)\({line}\)\(.*\n{head}\|{head}\)/\1\3\2/"
    return Fix(("sed", "-i", "-z", script, lineage.config))


def _interval(lineage: Lineage) -> Iterator[Finding]:
    text = lineage.renew_before_expiry
    if not text:
        return
    seen = f"{lineage.config}: renew_before_expiry = {text}"
    length, whole = window.interval(text), window.lifetime(lineage)
    unset = Fix(("sed", "-i", r"s/^\s*renew_before_expiry\s*=/# &/", lineage.config))
    if length is None or length <= timedelta(0):
        message = f"renew_before_expiry = {text}: no length of time that certtui understands"
        yield INTERVAL.found(lineage.name, message, seen, unset)
    elif whole is not None and length >= whole:
        days = whole / timedelta(days=1)
        message = f"is renewed at every run: {text} before expiry, of {days:.3g} days in all"
        yield ALWAYS.found(lineage.name, message, seen, unset)


def _webroot(lineage: Lineage, known: Known) -> Iterator[Finding]:
    if lineage.rootless:
        names = ", ".join(lineage.rootless[:3]) + (", ..." if len(lineage.rootless) > 3 else "")
        yield WEBROOT.found(
            lineage.name,
            f"no webroot for {names}: certbot would ask a person",
            f"{lineage.config}: neither webroot_path nor [[webroot_map]] has {names}",
        )
    for path in lineage.webroots:
        problem = known.no_folder(path)
        if problem:
            # certbot makes a folder that is missing; where a file is in the way it cannot.
            status = Status.WARN if problem == "is missing" else None
            message = f"its webroot {path} {problem}"
            yield WEBROOT.found(lineage.name, message, f"{lineage.config}: {path}", status=status)


def _no_folder(host: Host, path: str) -> str:
    if not path.startswith("/") or "\0" in path:
        return "is not an absolute path"
    info = host.info(path)
    if info is not None and info.kind == "symlink":
        real = host.resolve(path)
        info = host.info(real) if real else None
    if info is None:
        return "is missing"
    return "" if info.kind == "directory" else f"is no folder but a {info.kind}"


def _account(context: Context, lineage: Lineage, known: Known) -> Iterator[Finding]:
    if not lineage.account or not lineage.server:
        return
    url = urlsplit(lineage.server)
    server = f"{url.netloc}{url.path}".strip("/")
    # certbot takes the second version of the protocol for the first (renewal.py, _restore_str).
    server = next((new for new, old in _REUSED.items() if server == old), server)
    if not server or ".." in server or "\0" in server:
        return
    base = lineage.config.rpartition("/renewal/")[0]
    folders = [f"{base}/accounts/{place}" for place in (server, _REUSED.get(server, "")) if place]
    there = [one for folder in folders for one in known.accounts(folder)]
    if lineage.account in there:
        return
    fix = None
    if len(there) == 1 and there[0].isalnum():
        script = rf"s/^\(\s*account\s*=\).*/\1 {there[0]}/"
        fix = Fix(("sed", "-i", script, lineage.config))
    yield ACCOUNT.found(
        lineage.name,
        f"its account {lineage.account} is not known here",
        f"{folders[0]}: {', '.join(there) or 'no account'}",
        fix or command(context, "register", "--server", lineage.server),
    )


def _plugin(context: Context, lineage: Lineage, known: Known) -> Iterator[Finding]:
    if known.plugins is None:
        return
    for what, name in (("authenticator", lineage.authenticator), ("installer", lineage.installer)):
        if foreign(name) and name.rpartition(":")[2] not in known.plugins:
            listed = ", ".join(sorted(known.plugins))
            yield PLUGIN.found(
                lineage.name,
                f"its {what} {name} is not installed in this certbot",
                f"certbot plugins: {listed}",
                _install(context, name),
            )


def _install(context: Context, name: str) -> Fix | None:
    """The package of one of certbot's own plugins; they are called alike everywhere but there."""
    manager, install = context.facts.system.package_manager, used(context)
    if not _OFFICIAL.fullmatch(name) or manager not in INSTALL or install is None:
        return None
    if install.kind not in ("deb", "rpm"):
        return None
    return Fix((*INSTALL[manager], f"python3-certbot-{name}"))


def foreign(name: str) -> bool:
    """Whether certbot has a plugin of this name only where it was installed besides."""
    return bool(name) and name not in BUILT_IN
