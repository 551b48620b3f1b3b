"""What usually keeps a renewal from working: how certbot words it, the cause, what mends it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A cause, known by what is ``said``; ``short`` and ``remedy`` are for a page."""

    said: str
    cause: str
    mend: str
    short: str
    remedy: str


# The first that matches counts: what this host met itself, before what the certificate authority
# (CA) met when it looked for the challenge; both know "connection refused". The wordings are those
# of certbot 0.40 to 5.8, of requests, and of the problem types in RFC 8555, section 6.7.
CAUSES = (
    Cause(
        r"rateLimited|too many (?:certificates|failed|new|registrations|currently)|[Rr]ate limit",
        "the certificate authority's rate limit is reached",
        "wait before the next try",
        "rate limit reached",
        "wait an hour or more",
    ),
    Cause(
        r"CERTIFICATE_VERIFY_FAILED|certificate verify failed",
        "this host does not trust the ACME server's own certificate",
        "update the ca-certificates package, or set REQUESTS_CA_BUNDLE in certbot.env",
        "the ACME server's own certificate is not trusted here",
        "update ca-certificates",
    ),
    Cause(
        r"ProxyError|Cannot connect to proxy|Tunnel connection failed",
        "the proxy does not let certbot through",
        "look at the *_proxy variables in certbot.env",
        "the proxy stops certbot",
        "correct the proxy in certbot.env",
    ),
    Cause(
        r"Name or service not known|Temporary failure in name resolution|NameResolutionError"
        r"|No address associated with hostname",
        "this host cannot resolve the ACME server's name",
        "look at its DNS resolver",
        "this host cannot resolve the ACME server",
        "mend its DNS resolver",
    ),
    Cause(
        r"HTTPS?ConnectionPool|Failed to establish a new connection|Max retries exceeded"
        r"|Requesting \S+: |Network is unreachable|No route to host|Remote end closed connection"
        r"|Read timed out",
        "the ACME server cannot be reached from this host",
        "look at its network, firewall and proxy",
        "the ACME server cannot be reached",
        "look at network, firewall and proxy",
    ),
    Cause(
        r"Unable to find \S+-hook command",
        "a hook is not a program that can be found",
        "correct it in the file below renewal/, in cli.ini or in certbot.extra_args",
        "a hook's program is missing",
        "correct it below renewal/ or in cli.ini",
    ),
    Cause(
        r"unrecognized arguments",
        "certbot does not know an option it was given",
        "correct certbot.extra_args or cli.ini",
        "certbot does not know an option",
        "correct certbot.extra_args or cli.ini",
    ),
    Cause(
        r"Hook '--manual-\S+' for \S+ reported error|manual-\S+ command .* returned error code",
        "the hook that answers the challenge failed",
        "run it by hand to see why",
        "the hook for the challenge failed",
        "run it by hand",
    ),
    Cause(
        r"[Cc]ould not bind (?:TCP )?port|Problem binding to port",
        "another program of this host holds the port that certbot's standalone server needs",
        "use the web server's plugin or webroot, or stop it in a pre hook",
        "certbot's port is taken on this host",
        "use the web server's plugin or webroot",
    ),
    Cause(
        r"plugin (?:does not appear to be|is not) installed|Could not choose appropriate plugin",
        "a certbot plugin that this certificate needs is not installed",
        "",
        "a certbot plugin is missing",
        "install it",
    ),
    Cause(
        r"Error while running (?:nginx|apache)|plugin is not working|configuration error"
        r"|nginx restart failed|Unable to restart (?:nginx|apache|web server)",
        "certbot could not use the web server",
        "test its configuration (nginx -t, apachectl -t)",
        "certbot cannot use the web server",
        "test it (nginx -t, apachectl -t)",
    ),
    Cause(
        r"Missing command line flag or config entry|webroot-path|does not exist or is not a dir"
        r"|Unable to create.*challenge|webroot.*does not exist",
        "certbot cannot place the challenge: the webroot or another setting of this "
        "certificate is missing",
        "look at its file below renewal/",
        "the webroot or a setting is missing",
        "correct its file below renewal/",
    ),
    Cause(
        r"No space left on device",
        "the disk is full",
        "",
        "the disk is full",
        "make room",
    ),
    Cause(
        r"Read-only file system",
        "certbot may not write: the file system is read-only",
        "",
        "the file system is read-only",
        "mount it writable",
    ),
    Cause(
        r"Permission denied",
        "certbot lacks a permission",
        "run as root",
        "certbot lacks a permission",
        "run as root",
    ),
    Cause(
        r"acme:error:caa|\bType: caa\b|CAA record",
        "a CAA record of the name forbids this certificate authority",
        "change it in DNS",
        "a CAA record forbids this authority",
        "change it in DNS",
    ),
    Cause(
        r"acme:error:dns|\bType: dns\b|DNS problem|NXDOMAIN|SERVFAIL|[Nn]o valid A(?:AAA)? records"
        r"|no valid IP addresses|Incorrect TXT record|No TXT record",
        "the name does not resolve as it must",
        "correct its DNS records",
        "the name does not resolve as it must",
        "correct its DNS",
    ),
    Cause(
        r"(?:Fetching|connection).*[Cc]onnection refused",
        "the name's port 80 (or 443) refused the connection",
        "the web server must run and listen, and the name must point to this host",
        "port 80 refused",
        "open it",
    ),
    Cause(
        r"Timeout (?:during connect|after connect)|likely firewall problem|acme:error:connection"
        r"|\bType: connection\b",
        "the name's port 80 (or 443) cannot be reached from the Internet",
        "look at firewall and DNS",
        "port 80 cannot be reached",
        "open it in the firewall",
    ),
    Cause(
        r"acme:error:tls|\bType: tls\b",
        "the TLS answer on the name's port 443 was not certbot's",
        "does the name point here?",
        "port 443 gave another certificate",
        "point the name here",
    ),
    Cause(
        r"acme:error:unauthorized|\bType: unauthorized\b|Invalid response from|did not match"
        r"|\b40[34]\b",
        "the web server answered, but not with certbot's challenge",
        "is it another webroot, a redirect, or another host that the name points to?",
        "the challenge is not served",
        "correct the webroot or DNS",
    ),
    Cause(
        r"accountDoesNotExist|Account at .* does not exist|[Uu]nable to (?:find|load) account"
        r"|AccountNotFound",
        "the ACME account of this certificate is gone",
        "register again with: certbot register",
        "the ACME account is gone",
        "run certbot register",
    ),
)
