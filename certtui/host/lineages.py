"""Lineages: what certbot keeps in ``renewal/*.conf``, and the certificates they name.

One that cannot be read is a lineage with a sentence, never an end of the search.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from certtui.host import certificate, renewal_conf
from certtui.host.facts import KINDS, Lineage
from certtui.host.interface import Host
from certtui.host.renewal_conf import listed, unquoted

#: certbot's own default (certbot/_internal/constants.py, ``server``).
_LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"

_SUFFIX = ".conf"

#: Bytes of a certificate file: many times the longest chain, and no burden.
MOST = 1 << 20

# What certbot restores from [renewalparams] by type, and refuses in another form
# (certbot/_internal/renewal.py, ``_restore_bool``, ``_restore_int``).
_SWITCHES = ("autorenew", "must_staple", "allow_subset_of_names", "reuse_key")
_NUMBERS = ("rsa_key_size", "http01_port")

#: What it looks for in [renewalparams] only; elsewhere it is without effect.
_PARAMETERS = frozenset(
    (
        *_SWITCHES,
        *_NUMBERS,
        *("account", "authenticator", "installer", "server", "key_type", "preferred_chain"),
        *("pre_hook", "post_hook", "renew_hook", "deploy_hook", "webroot_path"),
    )
)
_BEFORE_EXPIRY = "renew_before_expiry"


def lineages(host: Host, config_dir: str) -> tuple[tuple[Lineage, ...], tuple[str, ...]]:
    """The lineages by name, and a sentence for what could not be looked at."""
    folder = f"{config_dir}/renewal"
    try:
        names = [name for name in host.names(folder) if name.endswith(_SUFFIX)]
    except PermissionError:
        return (), (f"{folder} may not be read by this user: run as root to see certificates",)
    except OSError as error:
        return (), (f"{folder} cannot be read: {error.strerror}",)
    return tuple(_lineage(host, f"{folder}/{name}", config_dir) for name in names), ()


def _lineage(host: Host, path: str, config_dir: str) -> Lineage:
    name = path.rpartition("/")[2].removesuffix(_SUFFIX)
    try:
        settings = _settings(host, path)
    except ValueError as error:
        return Lineage(name, path, error=f"{path} {error}")
    options = settings.get("renewalparams")
    if not isinstance(options, dict):
        problem = f"{path} has no [renewalparams]: certbot passes over it"
        return Lineage(name, path, error=problem)
    links = tuple(unquoted(settings, kind) for kind in KINDS)
    full = links[-1] or f"{config_dir}/live/{name}/fullchain.pem"
    found, problem = _certificate(host, path, full)
    authenticator = sys.intern(unquoted(options, "authenticator"))
    names = found.names if found else ()
    webroots, rootless = _webroots(options, names) if authenticator == "webroot" else ((), ())
    return Lineage(
        name=name,
        config=path,
        certificate=full,
        server=sys.intern(unquoted(options, "server") or _LETS_ENCRYPT),
        authenticator=authenticator,
        autorenew=_is_true(unquoted(options, "autorenew")),
        renew_before_expiry=unquoted(settings, _BEFORE_EXPIRY),
        domains=names,
        not_before=found.not_before if found else None,
        not_after=found.not_after if found else None,
        error=problem or _passed_over(path, links, options),
        installer=_restored(options, "installer"),
        account=_restored(options, "account"),
        key_type=sys.intern(unquoted(options, "key_type")),
        links=links if all(links) else (),
        archive=unquoted(settings, "archive_dir") or f"{config_dir}/archive/{name}",
        webroots=webroots,
        rootless=rootless,
        options=_shared(tuple(options)),
        strays=_strays(settings, options),
    )


def _settings(host: Host, path: str) -> dict[str, Any]:
    """The file as nested dictionaries. Raises :class:`ValueError` with the rest of a sentence."""
    try:
        data = host.read(path, renewal_conf.MOST + 1)
    except PermissionError:
        raise ValueError("may not be read by this user: run as root") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if data is None:
        raise ValueError(_no_file(host, path))
    return renewal_conf.parse(data)


def _no_file(host: Host, path: str) -> str:
    info = host.info(path)
    if info is None or info.kind == "file":
        return "is not a file that can be read"
    what = "a link that leads to no file" if info.kind == "symlink" else f"a {info.kind}"
    return f"is {what}, not a file that certbot can read"


def _passed_over(path: str, links: tuple[str, ...], options: dict[str, Any]) -> str:
    """Why ``certbot renew`` says "Skipping" and goes on to the next file; "" if it does not.

    certbot/_internal/renewal.py, ``reconstitute``; storage.py, ``RenewableCert.__init__``.
    """
    missing = [kind for kind, link in zip(KINDS, links, strict=True) if not link]
    if missing:
        return f"{path} does not say where {', '.join(missing)} is: certbot passes over it"
    if "authenticator" not in options:
        return f"{path} names no authenticator: certbot passes over it"
    for key in _SWITCHES:
        if key in options and unquoted(options, key).lower() not in ("true", "false"):
            return f"{path}: {key} is neither True nor False: certbot passes over it"
    for key in _NUMBERS:
        text = unquoted(options, key)
        unset = text == "None" and key == "http01_port"  # as certbot wrote it long ago
        if key in options and not text.isdecimal() and not unset:
            return f"{path}: {key} is no number: certbot passes over it"
    return ""


def _certificate(host: Host, config: str, path: str) -> tuple[certificate.Certificate | None, str]:
    if not path.startswith("/") or "\0" in path:
        return None, f"{config}: fullchain = {path!r} is not an absolute path"
    try:
        data = host.read(path, MOST + 1)
    except PermissionError:
        return None, f"{path} may not be read by this user: run as root"
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror}"
    if data is None:
        return None, f"{path} is missing, or no file: is the link in live/ broken?"
    if len(data) > MOST:
        return None, f"{path} is larger than {MOST >> 20} MiB: it is no certificate"
    try:
        return certificate.from_pem(data), ""
    except ValueError as error:
        return None, f"{path} {error}"


def _webroots(
    options: dict[str, Any], names: Iterable[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The folders certbot writes into, and the names for which it would have to ask a person.

    The last ``webroot_path`` is for every name that the map has not; folders of the map are used
    whatever their name (certbot/_internal/plugins/webroot.py, ``_set_webroots``).
    """
    found = options.get("webroot_map")
    known = found if isinstance(found, dict) else {}
    # An option that strayed there is no name; another finding is about that.
    folders = dict.fromkeys(unquoted(known, name) for name in known if name not in _PARAMETERS)
    unknown = tuple(name for name in names if name not in known)
    paths = listed(options, "webroot_path")
    if paths and (unknown or not known):
        folders[paths[-1]] = None
    return tuple(folders), () if paths else unknown


def _strays(settings: dict[str, Any], options: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """Options where certbot does not look for them, and the section in which they are."""
    found = [(key, "") for key in settings if key in _PARAMETERS]
    for name, section in (*settings.items(), *options.items()):
        if section is options or not isinstance(section, dict):
            continue
        found += [(key, name) for key in section if key in _PARAMETERS or key == _BEFORE_EXPIRY]
    if _BEFORE_EXPIRY in options:
        found.append((_BEFORE_EXPIRY, "renewalparams"))
    return tuple(found)


@lru_cache(maxsize=256)
def _shared(keys: tuple[str, ...]) -> tuple[str, ...]:
    """The keys of a section are the same for most lineages: one tuple serves them all."""
    return keys


def _restored(options: dict[str, Any], key: str) -> str:
    """A text of which certbot writes "None" for nothing (renewal.py, ``_restore_str``)."""
    text = unquoted(options, key)
    return "" if text == "None" else sys.intern(text)


def _is_true(text: str) -> bool:
    """Absent means yes (certbot/_internal/storage.py, ``autorenewal_is_enabled``)."""
    return text.lower() not in ("false", "no", "off", "0")
