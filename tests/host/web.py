"""The web servers of the test hosts: where each has its sites and how it is asked about them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.host.machine import Machine

_NGINX_PLAIN = """\
server {
    listen 80 default_server;
    server_name _;
    root /srv/www;
}
"""

_NGINX_TLS = """\
server {{
    listen 443 ssl;
    server_name {name};
    root /srv/www;
    ssl_certificate /etc/letsencrypt/live/{name}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/{name}/privkey.pem;
}}
"""

_APACHE_PLAIN = """\
<VirtualHost *:80>
    DocumentRoot /srv/www
</VirtualHost>
<Directory /srv/www>
    Require all granted
</Directory>
"""

_APACHE_TLS = """\
<VirtualHost *:443>
    ServerName {name}
    DocumentRoot /srv/www
    SSLEngine on
    SSLCertificateFile /etc/letsencrypt/live/{name}/fullchain.pem
    SSLCertificateKeyFile /etc/letsencrypt/live/{name}/privkey.pem
</VirtualHost>
"""


@dataclass(frozen=True)
class Web:
    """Debian's package of a web server. ``kind`` is what a plan calls it.

    ``service`` names its unit, its init script and its processes. ``plain`` is the path and the
    content of the site on port 80, ``tls`` of one on port 443, both with ``{name}``.
    """

    kind: str
    service: str
    plain: tuple[str, str]
    tls: tuple[str, str]
    #: a file of further configuration, and what makes the server listen on an address
    more: tuple[str, str]
    test: tuple[str, ...]
    pid_file: str
    #: what Debian's package leaves to its administrator before it can serve TLS
    enable_tls: tuple[str, ...] = ("true",)

    def add_site(self, host: Machine, name: str) -> None:
        """A TLS site for a lineage of that name; served after the next reload."""
        path, content = self.tls
        host.write(path.format(name=name), content.format(name=name))

    def main_process(self, host: Machine) -> int:
        """Its master, which a reload keeps and a restart does not; 0 while it is stopped."""
        return int(host.run(["cat", self.pid_file], check=False).stdout or 0)


NGINX = Web(
    "nginx",
    "nginx",
    ("/etc/nginx/sites-available/default", _NGINX_PLAIN),
    ("/etc/nginx/sites-enabled/{name}", _NGINX_TLS),
    ("/etc/nginx/conf.d/more.conf", "server {{ listen {address}; }}\n"),
    ("nginx", "-t"),
    "/run/nginx.pid",
)
APACHE = Web(
    "apache",
    "apache2",
    ("/etc/apache2/sites-available/000-default.conf", _APACHE_PLAIN),
    ("/etc/apache2/sites-enabled/{name}.conf", _APACHE_TLS),
    ("/etc/apache2/conf-enabled/more.conf", "Listen {address}\n"),
    ("apachectl", "-t"),
    "/run/apache2/apache2.pid",
    ("a2enmod", "-q", "ssl"),
)
WEBS = {web.kind: web for web in (NGINX, APACHE)}
