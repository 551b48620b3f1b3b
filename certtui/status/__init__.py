"""How it stands: certificates, the next and the last runs, what is renewed but not loaded."""

from certtui.status.as_json import to_json
from certtui.status.look import SHOWN, gather_status, look
from certtui.status.model import CertificateStatus, Status
from certtui.status.report import text

__all__ = ["SHOWN", "CertificateStatus", "Status", "gather_status", "look", "text", "to_json"]
