"""Lineages: what certbot keeps in ``renewal/*.conf``, and the certificates they name.

The files are ConfigObj with sections in sections (``[[webroot_map]]``), which configparser cannot
read. One that cannot be read is a lineage with a sentence, never an end of the search.
"""

from __future__ import annotations

from typing import Any

from certtui.host import certificate
from certtui.host.facts import Lineage
from certtui.host.interface import Host

#: certbot's own default (certbot/_internal/constants.py, ``server``).
_LETS_ENCRYPT = "https://acme-v02.api.letsencrypt.org/directory"

_SUFFIX = ".conf"


def lineages(host: Host, config_dir: str) -> tuple[tuple[Lineage, ...], tuple[str, ...]]:
    """The lineages by name, and a sentence for what could not be looked at."""
    folder = f"{config_dir}/renewal"
    try:
        names = [name for name in host.names(folder) if name.endswith(_SUFFIX)]
    except PermissionError:
        return (), (f"{folder} may not be read by this user: run as root to see certificates",)
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
    full = _text(settings, "fullchain") or f"{config_dir}/live/{name}/fullchain.pem"
    if full.startswith("/") and "\0" not in full:
        found, problem = _certificate(host, full)
    else:
        found, problem = None, f"{path}: fullchain = {full!r} is not an absolute path"
    return Lineage(
        name=name,
        config=path,
        certificate=full,
        server=_text(options, "server") or _LETS_ENCRYPT,
        authenticator=_text(options, "authenticator"),
        autorenew=_is_true(_text(options, "autorenew")),
        renew_before_expiry=_text(settings, "renew_before_expiry"),
        domains=found.names if found else (),
        not_before=found.not_before if found else None,
        not_after=found.not_after if found else None,
        error=problem,
    )


def _settings(host: Host, path: str) -> dict[str, Any]:
    """The file as nested dictionaries. Raises :class:`ValueError` with the rest of a sentence."""
    from configobj import ConfigObj, ConfigObjError

    try:
        data = host.read(path)
    except PermissionError:
        raise ValueError("may not be read by this user: run as root") from None
    except OSError as error:
        raise ValueError(f"cannot be read: {error.strerror}") from None
    if data is None:
        raise ValueError("is not a file that can be read")
    try:
        lines = data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        raise ValueError("is not UTF-8 text") from None
    try:
        return dict(ConfigObj(lines, interpolation=False, list_values=False, file_error=False))
    except ConfigObjError as error:
        raise ValueError(f"is not what certbot writes: {error}".rstrip(".")) from None


def _certificate(host: Host, path: str) -> tuple[certificate.Certificate | None, str]:
    try:
        data = host.read(path)
    except PermissionError:
        return None, f"{path} may not be read by this user: run as root"
    except OSError as error:
        return None, f"{path} cannot be read: {error.strerror}"
    if data is None:
        return None, f"{path} is missing: is the link in live/ broken?"
    try:
        return certificate.from_pem(data), ""
    except ValueError as error:
        return None, f"{path} {error}"


def _text(section: dict[str, Any], key: str) -> str:
    value = section.get(key, "")
    text = value.strip() if isinstance(value, str) else ""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    return text


def _is_true(text: str) -> bool:
    """Absent means yes (certbot/_internal/storage.py, ``autorenewal_is_enabled``)."""
    return text.lower() not in ("false", "no", "off", "0")
